/* SPDX-License-Identifier: Apache-2.0 */
#include "share/share.h"
#include "agent/features.h"
#include "agent/process/neighbours.h"

HF_FEATURE_LEFT_OUT(share);

struct hf_sharing {
    bool allowed;
};

struct hf_sharing *hf_share_new(HF_UNUSED const struct hf_share_params *params)
{
    static struct hf_sharing share;

    return &share;
}

void hf_share_free(HF_UNUSED struct hf_sharing *share)
{
}

void hf_share_settle(HF_UNUSED struct hf_sharing *share, HF_UNUSED const struct hf_share_settings *settings)
{
}

void hf_share_allow(struct hf_sharing *share, bool allowed)
{
    share->allowed = allowed;
}

bool hf_share_is_allowed(const struct hf_sharing *share)
{
    return share->allowed;
}

void hf_share_serve(HF_UNUSED struct hf_sharing *share, HF_UNUSED const struct hf_share_store *store)
{
}

bool hf_share_is_on(HF_UNUSED const struct hf_sharing *share)
{
    return false;
}

const struct hf_http_ops *hf_share_http(HF_UNUSED struct hf_sharing *share)
{
    return NULL;
}

bool hf_share_want(HF_UNUSED struct hf_sharing *share, HF_UNUSED const char *sha256, HF_UNUSED uint64_t size,
                   HF_UNUSED hf_share_decided_fn *decided, HF_UNUSED void *arg)
{
    return false;
}

void hf_share_end(HF_UNUSED struct hf_sharing *share, HF_UNUSED const char *sha256)
{
}

void hf_share_hurry(HF_UNUSED struct hf_sharing *share, HF_UNUSED const char *sha256)
{
}

void hf_share_progress(HF_UNUSED struct hf_sharing *share, HF_UNUSED const char *sha256, HF_UNUSED uint64_t bytes)
{
}

const char *hf_share_blame(HF_UNUSED struct hf_sharing *share, HF_UNUSED const char *sha256, HF_UNUSED bool wrong)
{
    return NULL;
}

void hf_neighbours_settle(HF_UNUSED struct hf_sharing *share, HF_UNUSED const struct hf_fs_ops *fs,
                          HF_UNUSED const char *root, HF_UNUSED const struct hf_config *config,
                          HF_UNUSED const char *client_pem, HF_UNUSED struct hf_log *log, HF_UNUSED int *said)
{
}
