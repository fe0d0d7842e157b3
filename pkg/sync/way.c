/* SPDX-License-Identifier: Apache-2.0 */
/* While the certificate in use is good, only it asks. After an absence longer than its lifetime, the agent tries the
 * credential of its configuration (a token), then the identity of the node's kubelet, which outlives both. A way is
 * left only when the server refuses it, or the request by it; never because the server does not answer. */
#include "sync/way.h"

static const struct {
    const char *reason, *text;
} ways[HF_WAYS] = {
    [HF_WAY_NONE] = {"", ""},
    [HF_WAY_CERTIFICATE] = {"ByCertificate", "the certificate before it"},
    [HF_WAY_CONFIGURED] = {"ByConfiguration", "the credential of its configuration"},
    [HF_WAY_KUBELET] = {"ByKubelet", "the identity of its kubelet"},
};

unsigned hf_way_bit(enum hf_way way)
{
    return 1u << way;
}

enum hf_way hf_way_next(const struct hf_way_facts *facts)
{
    const bool there[HF_WAYS] = {[HF_WAY_CERTIFICATE] = facts->certificate,
                                 [HF_WAY_CONFIGURED] = !facts->certificate,
                                 [HF_WAY_KUBELET] = !facts->certificate && facts->kubelet};

    for (enum hf_way way = HF_WAY_CERTIFICATE; way < HF_WAYS; way++)
        if (there[way] && (facts->excluded & hf_way_bit(way)) == 0)
            return way;
    return HF_WAY_NONE;
}

const char *hf_way_reason(enum hf_way way)
{
    return way < HF_WAYS ? ways[way].reason : "";
}

const char *hf_way_text(enum hf_way way)
{
    return way < HF_WAYS ? ways[way].text : "";
}
