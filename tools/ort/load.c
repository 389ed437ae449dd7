/* SPDX-License-Identifier: Apache-2.0 */
/* Takes the functions out of onnxruntime's table, and makes sure that they are what their slots say. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ort.h"

ort_api           ort;
const ort_ep_api *ort_ep;

OrtStatus *ort_fail(int code, const char *format, ...)
{
    char    text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return ort.CreateStatus(code, text);
}

OrtStatus *ort_no_memory(void)
{
    return ort.CreateStatus(ORT_FAILED, "sepcl: out of memory");
}

OrtStatus *ort_library(sepcl_status st)
{
    if (st == SEPCL_OK)
        return NULL;
    return ort_fail(st == SEPCL_INVALID ? ORT_INVALID_ARGUMENT : ORT_EP_FAILED, "sepcl: %s", sepcl_last_error());
}

static void take(const void *table)
{
    const char *slots = table;
#define S(slot, result, name, arguments) memcpy((void *)&ort.name, slots + (slot) * sizeof(void *), sizeof(void *));
    ORT_SLOTS(S)
#undef S
}

static bool status_works(void)
{
    OrtStatus *s = ort.CreateStatus(ORT_NOT_IMPLEMENTED, "sepcl's own");
    const bool ok = s && ort.GetErrorCode(s) == ORT_NOT_IMPLEMENTED && !strcmp(ort.GetErrorMessage(s), "sepcl's own");
    ort.ReleaseStatus(s);
    return ok;
}

static bool pairs_work(void)
{
    OrtKeyValuePairs *pairs = NULL;
    ort.CreateKeyValuePairs(&pairs);
    if (!pairs)
        return false;
    ort.AddKeyValuePair(pairs, "slot", "296");
    const char *value = ort.GetKeyValue(pairs, "slot");
    const bool  ok = value && !strcmp(value, "296");
    ort.ReleaseKeyValuePairs(pairs);
    return ok;
}

/* Of the slots behind those of graphs and nodes: were one of these elsewhere, these would be, too. */
static bool last_slots_work(void)
{
    OrtExternalInitializerInfo *info = NULL;
    OrtStatus                  *s = ort.CreateExternalInitializerInfo("weights", 371, 372, &info);
    const bool                  ok = !s && info && ort.ExternalInitializerInfo_GetFileOffset(info) == 371 &&
                    ort.ExternalInitializerInfo_GetByteSize(info) == 372;
    ort.ReleaseStatus(s);
    if (info)
        ort.ReleaseExternalInitializerInfo(info);
    return ok;
}

OrtStatus *ort_load(const OrtApiBase *base)
{
    int         major = 0, minor = 0;
    const char *version = base->GetVersionString();
    const void *first = base->GetApi(1);
    if (!first)
        return NULL; /* no way to say so; the caller sees that nothing was loaded */
    memcpy((void *)&ort.CreateStatus, first, sizeof(void *)); /* in slot 0 from the beginning */
    if (sscanf(version, "%d.%d", &major, &minor) != 2 || major != 1 || minor < ORT_INTERFACE)
        return ort_fail(ORT_FAILED, "sepcl %s needs onnxruntime 1.%d or a later 1.x, and this is %s", sepcl_version(),
                        ORT_INTERFACE, version);
    const void *table = base->GetApi(ORT_INTERFACE);
    if (!table)
        return ort_fail(ORT_FAILED, "onnxruntime %s does not offer interface %d, which sepcl %s needs", version,
                        ORT_INTERFACE, sepcl_version());
    take(table);
    ort_ep = ort.GetEpApi();
    if (!status_works() || !pairs_work() || !last_slots_work() || !ort_ep || !ort_ep->AddNodesToFuse)
        return ort_fail(ORT_FAILED, "the interface of onnxruntime %s is not laid out as sepcl %s expects interface %d",
                        version, sepcl_version(), ORT_INTERFACE);
    return NULL;
}
