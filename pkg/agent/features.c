/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/features.h"

#include <errno.h>
#include <stddef.h>

#include "base/macros.h"

/* Absent (NULL) unless the linker took the file that stands in for the feature. */
#define MARK(name) extern __attribute__((weak)) const char hf_without_##name
MARK(cluster);
MARK(host);
MARK(https);
MARK(images);
MARK(manifests);
MARK(page);
MARK(repack);
MARK(share);
MARK(systemd);
MARK(telemetry);

static const struct {
    const char *name, *left_out;
} features[] = {
    [HF_FEATURE_CLUSTER] = {"cluster", &hf_without_cluster},
    [HF_FEATURE_HOST] = {"host", &hf_without_host},
    [HF_FEATURE_HTTPS] = {"https", &hf_without_https},
    [HF_FEATURE_IMAGES] = {"images", &hf_without_images},
    [HF_FEATURE_MANIFESTS] = {"manifests", &hf_without_manifests},
    [HF_FEATURE_PAGE] = {"page", &hf_without_page},
    [HF_FEATURE_REPACK] = {"repack", &hf_without_repack},
    [HF_FEATURE_SHARE] = {"share", &hf_without_share},
    [HF_FEATURE_SYSTEMD] = {"systemd", &hf_without_systemd},
    [HF_FEATURE_TELEMETRY] = {"telemetry", &hf_without_telemetry},
};
_Static_assert(HF_LEN(features) == HF_FEATURES, "a row for each feature");

const char *hf_feature_name(enum hf_feature feature)
{
    return features[feature].name;
}

bool hf_feature_has(enum hf_feature feature, struct hf_err *err)
{
    if (features[feature].left_out == NULL)
        return true;
    (void)hf_err_set(err, ENOSYS, "this agent was built without the feature '%s'", features[feature].name);
    return false;
}
