/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests of static pods, and answers of crictl. What is translated can be written as JSON, and its uid depends on the
 * manifest alone. */
#include <stdlib.h>
#include <string.h>

#include "alone/listing.h"
#include "alone/places.h"
#include "alone/translate.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const struct hf_alone_site site = {.entry = "web", .volumes = "/v", .cgroup_parent = "/holdfast-alone"};

static void writable(const json_t *json)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(64 << 20);

    if (json == NULL || hf_json_format(json, &out) < 0)
        abort();
}

static void manifest_of(struct hf_view text)
{
    _cleanup_(hf_json_freep) json_t *manifest = NULL;
    struct hf_alone_pod pod, again;
    struct hf_err err = HF_ERR_INIT;

    if (hf_yaml_parse(text, NULL, &manifest, &err) < 0)
        return;
    int r = hf_alone_translate(manifest, &site, &pod, &err);
    if (r < 0) {
        if (err.cause[0] == '\0')
            abort();
        return;
    }
    writable(pod.sandbox);
    for (size_t i = 0; i < pod.n_containers; i++)
        writable(pod.containers[i].config);
    if (hf_alone_translate(manifest, &site, &again, &err) < 0 || strcmp(pod.uid, again.uid) != 0)
        abort();
    hf_alone_pod_done(&pod);
    hf_alone_pod_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct hf_listing listing = {.n_sandboxes = 0};
    struct hf_view text = {(const char *)bytes, n};

    manifest_of(text);
    (void)!hf_listing_take_sandboxes(&listing, text, NULL);
    (void)!hf_listing_take_containers(&listing, text, NULL);
    hf_listing_done(&listing);
    char *copy = hf_view_dup(text);
    char address[64];
    if (copy != NULL) {
        (void)hf_alone_place_is_systemd(copy);
        if (hf_alone_place_address(copy, address, sizeof(address)) && address[0] != '/')
            abort();
    }
    free(copy);
    return 0;
}
