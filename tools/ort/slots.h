/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of onnxruntime's C interface that the plugin calls. The interface is a table of functions that only ever
 * grows at its end, so a function is known by its slot; the slots here are those of interface 23 (onnxruntime 1.23).
 * ort_load checks around them before anything else is called.
 */
#ifndef SEPCL_ORT_SLOTS_H
#define SEPCL_ORT_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ORT_INTERFACE 23

typedef struct OrtStatus                  OrtStatus;
typedef struct OrtValue                   OrtValue;
typedef struct OrtTypeInfo                OrtTypeInfo;
typedef struct OrtTensorTypeAndShapeInfo  OrtTensorTypeAndShapeInfo;
typedef struct OrtValueInfo               OrtValueInfo;
typedef struct OrtNode                    OrtNode;
typedef struct OrtGraph                   OrtGraph;
typedef struct OrtOpAttr                  OrtOpAttr;
typedef struct OrtKernelContext           OrtKernelContext;
typedef struct OrtSessionOptions          OrtSessionOptions;
typedef struct OrtKeyValuePairs           OrtKeyValuePairs;
typedef struct OrtHardwareDevice          OrtHardwareDevice;
typedef struct OrtEpDevice                OrtEpDevice;
typedef struct OrtEpGraphSupportInfo      OrtEpGraphSupportInfo;
typedef struct OrtExternalInitializerInfo OrtExternalInitializerInfo;
typedef struct OrtNodeComputeContext      OrtNodeComputeContext;
typedef struct OrtLogger                  OrtLogger;
typedef struct OrtAllocator               OrtAllocator;
typedef struct OrtMemoryInfo              OrtMemoryInfo;
typedef struct OrtDataTransferImpl        OrtDataTransferImpl;
typedef struct OrtSyncStreamImpl          OrtSyncStreamImpl;
typedef struct OrtMemoryDevice            OrtMemoryDevice;

typedef struct OrtApiBase {
    const void *(*GetApi)(uint32_t interface);
    const char *(*GetVersionString)(void);
} OrtApiBase;

enum { ORT_FAILED = 1, ORT_INVALID_ARGUMENT = 2, ORT_NOT_IMPLEMENTED = 9, ORT_EP_FAILED = 11 };
enum { ORT_FLOAT = 1 };
enum { ORT_DEVICE_CPU = 0, ORT_DEVICE_GPU = 1 };
typedef enum ort_attribute_type {
    ORT_ATTRIBUTE_INT = 1,
    ORT_ATTRIBUTE_INTS = 2,
    ORT_ATTRIBUTE_FLOAT = 3,
    ORT_ATTRIBUTE_FLOATS = 4,
    ORT_ATTRIBUTE_STRING = 5,
    ORT_ATTRIBUTE_STRINGS = 6
} ort_attribute_type;

/* S(slot, result, name, arguments) */
#define ORT_SLOTS(S)                                                                                                   \
    S(0, OrtStatus *, CreateStatus, (int code, const char *message))                                                   \
    S(1, int, GetErrorCode, (const OrtStatus *))                                                                       \
    S(2, const char *, GetErrorMessage, (const OrtStatus *))                                                           \
    S(51, OrtStatus *, GetTensorMutableData, (OrtValue *, void **))                                                    \
    S(55, OrtStatus *, CastTypeInfoToTensorInfo, (const OrtTypeInfo *, const OrtTensorTypeAndShapeInfo **))            \
    S(60, OrtStatus *, GetTensorElementType, (const OrtTensorTypeAndShapeInfo *, int *))                               \
    S(61, OrtStatus *, GetDimensionsCount, (const OrtTensorTypeAndShapeInfo *, size_t *))                              \
    S(62, OrtStatus *, GetDimensions, (const OrtTensorTypeAndShapeInfo *, int64_t *, size_t))                          \
    S(65, OrtStatus *, GetTensorTypeAndShape, (const OrtValue *, OrtTensorTypeAndShapeInfo **))                        \
    S(88, OrtStatus *, KernelContext_GetInputCount, (const OrtKernelContext *, size_t *))                              \
    S(90, OrtStatus *, KernelContext_GetInput, (const OrtKernelContext *, size_t, const OrtValue **))                  \
    S(91, OrtStatus *, KernelContext_GetOutput, (OrtKernelContext *, size_t, const int64_t *, size_t, OrtValue **))    \
    S(93, void, ReleaseStatus, (OrtStatus *))                                                                          \
    S(99, void, ReleaseTensorTypeAndShapeInfo, (OrtTensorTypeAndShapeInfo *))                                          \
    S(237, OrtStatus *, HasSessionConfigEntry, (const OrtSessionOptions *, const char *, int *))                       \
    S(238, OrtStatus *, GetSessionConfigEntry, (const OrtSessionOptions *, const char *, char *, size_t *))            \
    S(272, OrtStatus *, ReadOpAttr, (const OrtOpAttr *, int type, void *, size_t, size_t *))                           \
    S(289, OrtStatus *, GetValueInfoName, (const OrtValueInfo *, const char **))                                       \
    S(290, OrtStatus *, GetValueInfoTypeInfo, (const OrtValueInfo *, const OrtTypeInfo **))                            \
    S(295, void, CreateKeyValuePairs, (OrtKeyValuePairs **))                                                           \
    S(296, void, AddKeyValuePair, (OrtKeyValuePairs *, const char *, const char *))                                    \
    S(297, const char *, GetKeyValue, (const OrtKeyValuePairs *, const char *))                                        \
    S(300, void, ReleaseKeyValuePairs, (OrtKeyValuePairs *))                                                           \
    S(307, int, HardwareDevice_Type, (const OrtHardwareDevice *))                                                      \
    S(317, const void *, GetEpApi, (void))                                                                             \
    S(318, OrtStatus *, GetTensorSizeInBytes, (const OrtValue *, size_t *))                                            \
    S(323, OrtStatus *, ValueInfo_GetValueProducer, (const OrtValueInfo *, const OrtNode **, size_t *))                \
    S(326, OrtStatus *, ValueInfo_GetInitializerValue, (const OrtValueInfo *, const OrtValue **))                      \
    S(331, OrtStatus *, ValueInfo_IsConstantInitializer, (const OrtValueInfo *, bool *))                               \
    S(336, OrtStatus *, Graph_GetNumOperatorSets, (const OrtGraph *, size_t *))                                        \
    S(337, OrtStatus *, Graph_GetOperatorSets, (const OrtGraph *, const char **, int64_t *, size_t))                   \
    S(344, OrtStatus *, Graph_GetNumNodes, (const OrtGraph *, size_t *))                                               \
    S(345, OrtStatus *, Graph_GetNodes, (const OrtGraph *, const OrtNode **, size_t))                                  \
    S(346, OrtStatus *, Graph_GetParentNode, (const OrtGraph *, const OrtNode **))                                     \
    S(349, OrtStatus *, Node_GetName, (const OrtNode *, const char **))                                                \
    S(350, OrtStatus *, Node_GetOperatorType, (const OrtNode *, const char **))                                        \
    S(351, OrtStatus *, Node_GetDomain, (const OrtNode *, const char **))                                              \
    S(353, OrtStatus *, Node_GetNumInputs, (const OrtNode *, size_t *))                                                \
    S(354, OrtStatus *, Node_GetInputs, (const OrtNode *, const OrtValueInfo **, size_t))                              \
    S(355, OrtStatus *, Node_GetNumOutputs, (const OrtNode *, size_t *))                                               \
    S(356, OrtStatus *, Node_GetOutputs, (const OrtNode *, const OrtValueInfo **, size_t))                             \
    S(359, OrtStatus *, Node_GetNumAttributes, (const OrtNode *, size_t *))                                            \
    S(360, OrtStatus *, Node_GetAttributes, (const OrtNode *, const OrtOpAttr **, size_t))                             \
    S(363, OrtStatus *, OpAttr_GetType, (const OrtOpAttr *, int *))                                                    \
    S(364, OrtStatus *, OpAttr_GetName, (const OrtOpAttr *, const char **))                                            \
    S(365, OrtStatus *, Node_GetNumSubgraphs, (const OrtNode *, size_t *))                                             \
    S(369, void, ReleaseExternalInitializerInfo, (OrtExternalInitializerInfo *))                                       \
    S(371, int64_t, ExternalInitializerInfo_GetFileOffset, (const OrtExternalInitializerInfo *))                       \
    S(372, size_t, ExternalInitializerInfo_GetByteSize, (const OrtExternalInitializerInfo *))                          \
    S(378, OrtStatus *, GetTensorData, (const OrtValue *, const void **))                                              \
    S(389, OrtStatus *, CreateExternalInitializerInfo, (const char *, int64_t, size_t, OrtExternalInitializerInfo **))

typedef struct ort_api {
#define S(slot, result, name, arguments) result(*name) arguments;
    ORT_SLOTS(S)
#undef S
} ort_api;

/* ---------------------------------------------------------------- what a provider gives to onnxruntime */

typedef struct OrtNodeFusionOptions {
    uint32_t version;
    bool     drop_constant_initializers;
} OrtNodeFusionOptions;

typedef struct OrtNodeComputeInfo OrtNodeComputeInfo;
struct OrtNodeComputeInfo {
    uint32_t version;
    OrtStatus *(*CreateState)(OrtNodeComputeInfo *, OrtNodeComputeContext *, void **);
    OrtStatus *(*Compute)(OrtNodeComputeInfo *, void *state, OrtKernelContext *);
    void (*ReleaseState)(OrtNodeComputeInfo *, void *state);
};

typedef struct OrtEp OrtEp;
struct OrtEp {
    uint32_t version;
    const char *(*GetName)(const OrtEp *);
    OrtStatus *(*GetCapability)(OrtEp *, const OrtGraph *, OrtEpGraphSupportInfo *);
    OrtStatus *(*Compile)(OrtEp *, const OrtGraph **, const OrtNode **, size_t, OrtNodeComputeInfo **, OrtNode **);
    void (*ReleaseNodeComputeInfos)(OrtEp *, OrtNodeComputeInfo **, size_t);
    /* GetPreferredDataLayout, ShouldConvertDataLayoutForOp, SetDynamicOptions, OnRunStart, OnRunEnd, CreateAllocator,
       CreateSyncStreamForDevice, GetCompiledModelCompatibilityInfo: what interface 23 may leave out */
    void *optional[8];
};

typedef struct OrtEpFactory OrtEpFactory;
struct OrtEpFactory {
    uint32_t version;
    const char *(*GetName)(const OrtEpFactory *);
    const char *(*GetVendor)(const OrtEpFactory *);
    OrtStatus *(*GetSupportedDevices)(OrtEpFactory *, const OrtHardwareDevice *const *, size_t, OrtEpDevice **, size_t,
                                      size_t *);
    OrtStatus *(*CreateEp)(OrtEpFactory *, const OrtHardwareDevice *const *, const OrtKeyValuePairs *const *, size_t,
                           const OrtSessionOptions *, const OrtLogger *, OrtEp **);
    void (*ReleaseEp)(OrtEpFactory *, OrtEp *);
    uint32_t (*GetVendorId)(const OrtEpFactory *);
    const char *(*GetVersion)(const OrtEpFactory *);
    OrtStatus *(*ValidateCompiledModelCompatibilityInfo)(OrtEpFactory *, const OrtHardwareDevice *const *, size_t,
                                                         const char *, int *);
    OrtStatus *(*CreateAllocator)(OrtEpFactory *, const OrtMemoryInfo *, const OrtKeyValuePairs *, OrtAllocator **);
    void (*ReleaseAllocator)(OrtEpFactory *, OrtAllocator *);
    OrtStatus *(*CreateDataTransfer)(OrtEpFactory *, OrtDataTransferImpl **);
    bool (*IsStreamAware)(const OrtEpFactory *);
    OrtStatus *(*CreateSyncStreamForDevice)(OrtEpFactory *, const OrtMemoryDevice *, const OrtKeyValuePairs *,
                                            OrtSyncStreamImpl **);
};

/* The table that GetEpApi gives. */
typedef struct ort_ep_api {
    OrtStatus *(*CreateEpDevice)(OrtEpFactory *, const OrtHardwareDevice *, const OrtKeyValuePairs *metadata,
                                 const OrtKeyValuePairs *options, OrtEpDevice **);
    void (*ReleaseEpDevice)(OrtEpDevice *);
    OrtStatus *(*AddNodesToFuse)(OrtEpGraphSupportInfo *, const OrtNode *const *, size_t, const OrtNodeFusionOptions *);
} ort_ep_api;

#endif
