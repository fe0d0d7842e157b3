/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/source/source.h"

#include <errno.h>

#include "manifests/source/source_impl.h"

static const struct hf_manifest_source_kind *const kinds[HF_MANIFEST_FROM_COUNT] = {
    [HF_MANIFEST_FROM_CONFIG_MAP] = &hf_source_config_map_kind,
    [HF_MANIFEST_FROM_SECRET] = &hf_source_config_map_kind,
    [HF_MANIFEST_FROM_URL] = &hf_source_url_kind,
    [HF_MANIFEST_FROM_FLUX] = &hf_source_flux_kind,
    [HF_MANIFEST_FROM_PATH] = &hf_source_folder_kind,
};

int hf_manifest_source_new(const struct hf_manifest_source_params *params, struct hf_manifest_source **ret_source,
                           struct hf_err *err)
{
    const struct hf_manifest_source_kind *kind = kinds[params->entry->from.kind];

    return kind != NULL ? hf_source_open(kind, params, ret_source, err)
                        : hf_err_set(err, EOPNOTSUPP, "this node cannot follow such a source");
}

void hf_manifest_source_free(struct hf_manifest_source *source)
{
    if (source != NULL)
        hf_source_close(source);
}

void hf_manifest_source_refresh(struct hf_manifest_source *source)
{
    source->kind->refresh(source);
}

void hf_manifest_source_ready(struct hf_manifest_source *source)
{
    if (source->kind->ready != NULL)
        source->kind->ready(source);
}

void hf_manifest_source_link_opened(struct hf_manifest_source *source)
{
    if (!source->held)
        return;
    source->held = false;
    hf_backoff_reset(&source->backoff);
    hf_source_again(source, 0);
}
