/* SPDX-License-Identifier: Apache-2.0 */
/* The two functions that onnxruntime looks for in the library, and the factory that they hand over. */
#include <stdlib.h>
#include <string.h>

#include "ort.h"

#define OPTION(name) "ep.sepclexecutionprovider." name

__attribute__((visibility("default"))) OrtStatus *CreateEpFactories(const char *name, const OrtApiBase *base,
                                                                    const OrtLogger *logger, OrtEpFactory **factories,
                                                                    size_t most, size_t *count);
__attribute__((visibility("default"))) OrtStatus *ReleaseEpFactory(OrtEpFactory *factory);

/* ---------------------------------------------------------------- devices */

static bool have_device(sepcl_device_type type, char selector[16])
{
    int count = 0;
    if (sepcl_device_count(&count) != SEPCL_OK)
        return false;
    for (int i = 0; i < count; i++) {
        sepcl_device_info info;
        if (sepcl_device_get(i, &info) == SEPCL_OK && info.available && info.type == type) {
            strncpy(selector, info.selector, 15);
            selector[15] = 0;
            return true;
        }
    }
    return false;
}

static OrtStatus *offer(OrtEpFactory *factory, const OrtHardwareDevice *hardware, const char *selector,
                        OrtEpDevice **out)
{
    OrtKeyValuePairs *options = NULL;
    ort.CreateKeyValuePairs(&options);
    if (!options)
        return ort_no_memory();
    ort.AddKeyValuePair(options, "device", selector);
    OrtStatus *s = ort_ep->CreateEpDevice(factory, hardware, NULL, options, out);
    ort.ReleaseKeyValuePairs(options);
    return s;
}

/* onnxruntime's CPU and GPU, where OpenCL has one. The option "device" names another. */
static OrtStatus *supported_devices(OrtEpFactory *factory, const OrtHardwareDevice *const *hardware, size_t n,
                                    OrtEpDevice **out, size_t most, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < n && *count < most; i++) {
        const int type = ort.HardwareDevice_Type(hardware[i]);
        char      selector[16] = "";
        if ((type == ORT_DEVICE_CPU && have_device(SEPCL_DEVICE_CPU, selector)) ||
            (type == ORT_DEVICE_GPU && have_device(SEPCL_DEVICE_GPU, selector))) {
            ORT_TRY(offer(factory, hardware[i], selector, &out[*count]));
            ++*count;
        }
    }
    return NULL;
}

/* ---------------------------------------------------------------- a provider */

/* "" when it is not set. */
static OrtStatus *read_option(const OrtSessionOptions *options, const char *key, char *value, size_t room)
{
    int    there = 0;
    size_t size = room;
    *value = 0;
    ORT_TRY(ort.HasSessionConfigEntry(options, key, &there));
    return there ? ort.GetSessionConfigEntry(options, key, value, &size) : NULL;
}

static const char *provider_name(const OrtEp *ep)
{
    (void)ep;
    return ORT_PROVIDER;
}

static OrtStatus *configure(ort_provider *p, const OrtSessionOptions *options)
{
    char precision[16];
    int  index;
    ORT_TRY(read_option(options, OPTION("device"), p->device, sizeof(p->device)));
    ORT_TRY(read_option(options, OPTION("precision"), precision, sizeof(precision)));
    if (*precision && strcmp(precision, "f32") != 0 && strcmp(precision, "f16") != 0)
        return ort_fail(ORT_INVALID_ARGUMENT, "sepcl: precision '%s' is unknown; there are f32 and f16", precision);
    p->precision = strcmp(precision, "f16") ? SEPCL_F32 : SEPCL_F16;
    return ort_library(sepcl_device_find(*p->device ? p->device : NULL, &index));
}

static OrtStatus *create_provider(OrtEpFactory *factory, const OrtHardwareDevice *const *devices,
                                  const OrtKeyValuePairs *const *metadata, size_t n, const OrtSessionOptions *options,
                                  const OrtLogger *logger, OrtEp **out)
{
    (void)factory;
    (void)devices;
    (void)metadata;
    (void)n;
    (void)logger;
    *out = NULL;
    ort_provider *p = calloc(1, sizeof(*p));
    if (!p)
        return ort_no_memory();
    p->ep = (OrtEp){.version = ORT_INTERFACE,
                    .GetName = provider_name,
                    .GetCapability = ort_capability,
                    .Compile = ort_compile,
                    .ReleaseNodeComputeInfos = ort_release_compute};
    OrtStatus *s = configure(p, options);
    if (s) {
        free(p);
        return s;
    }
    *out = &p->ep;
    return NULL;
}

static void release_provider(OrtEpFactory *factory, OrtEp *ep)
{
    (void)factory;
    free(ep);
}

/* ---------------------------------------------------------------- the factory */

static const char *factory_name(const OrtEpFactory *factory)
{
    (void)factory;
    return ORT_PROVIDER;
}

static const char *factory_vendor(const OrtEpFactory *factory)
{
    (void)factory;
    return "sepcl";
}

static uint32_t factory_vendor_id(const OrtEpFactory *factory)
{
    (void)factory;
    return 0;
}

static const char *factory_version(const OrtEpFactory *factory)
{
    (void)factory;
    return sepcl_version();
}

/* Data is where onnxruntime's own CPU provider has it. */
static OrtStatus *no_allocator(OrtEpFactory *factory, const OrtMemoryInfo *info, const OrtKeyValuePairs *options,
                               OrtAllocator **out)
{
    (void)factory;
    (void)info;
    (void)options;
    *out = NULL;
    return NULL;
}

static void release_allocator(OrtEpFactory *factory, OrtAllocator *allocator)
{
    (void)factory;
    (void)allocator;
}

static OrtStatus *no_data_transfer(OrtEpFactory *factory, OrtDataTransferImpl **out)
{
    (void)factory;
    *out = NULL;
    return NULL;
}

static bool not_stream_aware(const OrtEpFactory *factory)
{
    (void)factory;
    return false;
}

static OrtStatus *no_stream(OrtEpFactory *factory, const OrtMemoryDevice *device, const OrtKeyValuePairs *options,
                            OrtSyncStreamImpl **out)
{
    (void)factory;
    (void)device;
    (void)options;
    *out = NULL;
    return NULL;
}

OrtStatus *CreateEpFactories(const char *name, const OrtApiBase *base, const OrtLogger *logger,
                             OrtEpFactory **factories, size_t most, size_t *count)
{
    (void)name;
    (void)logger;
    *count = 0;
    ORT_TRY(ort_load(base));
    if (!ort_ep)
        return NULL; /* no interface at all, not even one to complain by */
    if (most < 1)
        return ort_fail(ORT_INVALID_ARGUMENT, "sepcl: there is no room for a factory");
    OrtEpFactory *f = calloc(1, sizeof(*f));
    if (!f)
        return ort_no_memory();
    *f = (OrtEpFactory){.version = ORT_INTERFACE,
                        .GetName = factory_name,
                        .GetVendor = factory_vendor,
                        .GetSupportedDevices = supported_devices,
                        .CreateEp = create_provider,
                        .ReleaseEp = release_provider,
                        .GetVendorId = factory_vendor_id,
                        .GetVersion = factory_version,
                        .CreateAllocator = no_allocator,
                        .ReleaseAllocator = release_allocator,
                        .CreateDataTransfer = no_data_transfer,
                        .IsStreamAware = not_stream_aware,
                        .CreateSyncStreamForDevice = no_stream};
    factories[0] = f;
    *count = 1;
    return NULL;
}

OrtStatus *ReleaseEpFactory(OrtEpFactory *factory)
{
    free(factory);
    return NULL;
}
