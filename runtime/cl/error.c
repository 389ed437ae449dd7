/* SPDX-License-Identifier: Apache-2.0 */
/* OpenCL's error numbers as sentences. */
#include <stdarg.h>
#include <stdio.h>

#include "cl/internal.h"

/* clang-format off */
#define CL_ERRORS(X)                                                                                                   \
    X(CL_DEVICE_NOT_FOUND) X(CL_DEVICE_NOT_AVAILABLE) X(CL_COMPILER_NOT_AVAILABLE)                                     \
    X(CL_MEM_OBJECT_ALLOCATION_FAILURE) X(CL_OUT_OF_RESOURCES) X(CL_OUT_OF_HOST_MEMORY)                                \
    X(CL_PROFILING_INFO_NOT_AVAILABLE) X(CL_MEM_COPY_OVERLAP) X(CL_IMAGE_FORMAT_MISMATCH)                              \
    X(CL_IMAGE_FORMAT_NOT_SUPPORTED) X(CL_BUILD_PROGRAM_FAILURE) X(CL_MAP_FAILURE)                                     \
    X(CL_MISALIGNED_SUB_BUFFER_OFFSET) X(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST) X(CL_COMPILE_PROGRAM_FAILURE)   \
    X(CL_LINKER_NOT_AVAILABLE) X(CL_LINK_PROGRAM_FAILURE) X(CL_DEVICE_PARTITION_FAILED)                                \
    X(CL_KERNEL_ARG_INFO_NOT_AVAILABLE) X(CL_INVALID_VALUE) X(CL_INVALID_DEVICE_TYPE) X(CL_INVALID_PLATFORM)           \
    X(CL_INVALID_DEVICE) X(CL_INVALID_CONTEXT) X(CL_INVALID_QUEUE_PROPERTIES) X(CL_INVALID_COMMAND_QUEUE)              \
    X(CL_INVALID_HOST_PTR) X(CL_INVALID_MEM_OBJECT) X(CL_INVALID_IMAGE_FORMAT_DESCRIPTOR) X(CL_INVALID_IMAGE_SIZE)     \
    X(CL_INVALID_SAMPLER) X(CL_INVALID_BINARY) X(CL_INVALID_BUILD_OPTIONS) X(CL_INVALID_PROGRAM)                       \
    X(CL_INVALID_PROGRAM_EXECUTABLE) X(CL_INVALID_KERNEL_NAME) X(CL_INVALID_KERNEL_DEFINITION) X(CL_INVALID_KERNEL)    \
    X(CL_INVALID_ARG_INDEX) X(CL_INVALID_ARG_VALUE) X(CL_INVALID_ARG_SIZE) X(CL_INVALID_KERNEL_ARGS)                   \
    X(CL_INVALID_WORK_DIMENSION) X(CL_INVALID_WORK_GROUP_SIZE) X(CL_INVALID_WORK_ITEM_SIZE)                            \
    X(CL_INVALID_GLOBAL_OFFSET) X(CL_INVALID_EVENT_WAIT_LIST) X(CL_INVALID_EVENT) X(CL_INVALID_OPERATION)              \
    X(CL_INVALID_GL_OBJECT) X(CL_INVALID_BUFFER_SIZE) X(CL_INVALID_MIP_LEVEL) X(CL_INVALID_GLOBAL_WORK_SIZE)           \
    X(CL_INVALID_PROPERTY) X(CL_INVALID_IMAGE_DESCRIPTOR) X(CL_INVALID_COMPILER_OPTIONS) X(CL_INVALID_LINKER_OPTIONS)  \
    X(CL_INVALID_DEVICE_PARTITION_COUNT) X(CL_INVALID_PIPE_SIZE) X(CL_INVALID_DEVICE_QUEUE) X(CL_INVALID_SPEC_ID)      \
    X(CL_MAX_SIZE_RESTRICTION_EXCEEDED)
/* clang-format on */

const char *cl_error_name(cl_int error)
{
    static _Thread_local char number[40];
    switch (error) {
#define NAME_CASE(name)                                                                                                \
    case name:                                                                                                         \
        return #name;
        CL_ERRORS(NAME_CASE)
#undef NAME_CASE
    case -1001: /* cl_khr_icd, whose header is not always there */
        return "CL_PLATFORM_NOT_FOUND_KHR";
    default:
        snprintf(number, sizeof number, "OpenCL error %d", (int)error);
        return number;
    }
}

/* Words for errors whose name misleads. */
static const char *hint(cl_int error)
{
    switch (error) {
    case CL_OUT_OF_RESOURCES:
        return " (the kernel needs more registers or local memory than there are, or an earlier kernel failed)";
    case CL_INVALID_COMMAND_QUEUE:
        return " (an earlier kernel may have failed and taken the queue with it)";
    default:
        return "";
    }
}

status cl_fail(cl_int error, const char *format, ...)
{
    const bool memory = error == CL_OUT_OF_HOST_MEMORY || error == CL_MEM_OBJECT_ALLOCATION_FAILURE;
    char       text[512];
    va_list    list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return fail(memory ? SEPCL_OUT_OF_MEMORY : SEPCL_DEVICE_ERROR, "%s: %s%s", text, cl_error_name(error), hint(error));
}
