/* SPDX-License-Identifier: Apache-2.0 */
#include "share/share.h"
#include "agent/process/neighbours.h"
#include "agent/without/without.h"

HF_FEATURE_LEFT_OUT(share);

struct hf_sharing {
    bool allowed;
};

struct hf_sharing *hf_share_new(const struct hf_share_params *params)
{
    static struct hf_sharing share;

    return &share;
}

HF_FEATURE_NOTHING(hf_share_free(struct hf_sharing *share));
HF_FEATURE_NOTHING(hf_share_settle(struct hf_sharing *share, const struct hf_share_settings *settings));

void hf_share_allow(struct hf_sharing *share, bool allowed)
{
    share->allowed = allowed;
}

bool hf_share_is_allowed(const struct hf_sharing *share)
{
    return share->allowed;
}

HF_FEATURE_NOTHING(hf_share_serve(struct hf_sharing *share, const struct hf_share_store *store));
HF_FEATURE_RETURNS(bool hf_share_is_on(const struct hf_sharing *share), false);
HF_FEATURE_RETURNS(const struct hf_http_ops *hf_share_http(struct hf_sharing *share), NULL);
HF_FEATURE_RETURNS(bool hf_share_want(struct hf_sharing *share, const char *sha256, uint64_t size,
                                      hf_share_decided_fn *decided, void *arg),
                   false);
HF_FEATURE_NOTHING(hf_share_end(struct hf_sharing *share, const char *sha256));
HF_FEATURE_NOTHING(hf_share_hurry(struct hf_sharing *share, const char *sha256));
HF_FEATURE_NOTHING(hf_share_progress(struct hf_sharing *share, const char *sha256, uint64_t bytes));
HF_FEATURE_RETURNS(const char *hf_share_blame(struct hf_sharing *share, const char *sha256, bool wrong), NULL);
HF_FEATURE_NOTHING(hf_neighbours_settle(struct hf_sharing *share, const struct hf_fs_ops *fs, const char *root,
                                        const struct hf_config *config, const char *client_pem, struct hf_log *log,
                                        int *said));
