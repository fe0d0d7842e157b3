/* SPDX-License-Identifier: Apache-2.0 */
/*              Due, Lost       Done            Done           Done           Done
 *     Current -----------> Key -----> Request -----> Issue -----> Store ------------.
 *        ^                  ^            ^             |  \          |              |
 *        |                  | Due        `-- Absent ---'   \ Denied  | Bad          |
 *        |                Pause <--------------------------'<--------'              |
 *        '--------------------------------------------------------------------------'
 *
 *   Current  too early to renew
 *   Key      a private key must be on the disk before its public key leaves the node
 *   Request  named after its key: a retry after a power cut finds the first one
 *   Issue    waits for approval and signature
 *   Store    certificate and key go to the disk as one file
 *   Pause    refused, denied or bad: a long wait, then again
 *
 * Another way is left (Another): from Request, the same request; from Issue, a new key, for a new request. */
#include "sync/renewal.h"

#define TO(next_, action_, delay_)                                                                                     \
    {                                                                                                                  \
        true, HF_RENEWAL_##next_, HF_RENEWAL_##action_, HF_RENEWAL_##delay_                                            \
    }

/* An empty cell is an answer that came too late: nothing changes. Lost changes nothing while a new certificate is on
 * its way. */
static const struct hf_renewal_move table[HF_RENEWAL_STATES][HF_RENEWAL_EVENTS] =
    {
        [HF_RENEWAL_CURRENT] =
            {
                [HF_RENEWAL_DUE] = TO(KEY, MAKE_KEY, NEVER),
                [HF_RENEWAL_LOST] = TO(KEY, MAKE_KEY, NEVER),
            },
        [HF_RENEWAL_KEY] =
            {
                [HF_RENEWAL_DUE] = TO(KEY, MAKE_KEY, NEVER),
                [HF_RENEWAL_DONE] = TO(REQUEST, CREATE, NEVER),
                [HF_RENEWAL_FAILED] = TO(KEY, DO_NOTHING, SHORT),
            },
        [HF_RENEWAL_REQUEST] =
            {
                [HF_RENEWAL_DUE] = TO(REQUEST, CREATE, NEVER),
                [HF_RENEWAL_DONE] = TO(ISSUE, DO_NOTHING, POLL),
                [HF_RENEWAL_FAILED] = TO(REQUEST, DO_NOTHING, SHORT),
                [HF_RENEWAL_REFUSED] = TO(PAUSE, DO_NOTHING, LONG),
                [HF_RENEWAL_ANOTHER] = TO(REQUEST, CREATE, NEVER),
            },
        [HF_RENEWAL_ISSUE] =
            {
                [HF_RENEWAL_DUE] = TO(ISSUE, READ, NEVER),
                [HF_RENEWAL_DONE] = TO(STORE, SAVE, NEVER),
                [HF_RENEWAL_PENDING] = TO(ISSUE, DO_NOTHING, POLL),
                [HF_RENEWAL_ABSENT] = TO(REQUEST, DO_NOTHING, SHORT),
                [HF_RENEWAL_DENIED] = TO(PAUSE, DROP_KEY, LONG),
                [HF_RENEWAL_REFUSED] = TO(PAUSE, DO_NOTHING, LONG),
                [HF_RENEWAL_ANOTHER] = TO(KEY, DROP_KEY, SHORT),
                [HF_RENEWAL_FAILED] = TO(ISSUE, DO_NOTHING, SHORT),
            },
        [HF_RENEWAL_STORE] =
            {
                [HF_RENEWAL_DONE] = TO(CURRENT, USE, AT_DATE),
                [HF_RENEWAL_BAD] = TO(PAUSE, DROP_KEY, LONG),
                [HF_RENEWAL_FAILED] = TO(ISSUE, DO_NOTHING, SHORT),
            },
        [HF_RENEWAL_PAUSE] =
            {
                [HF_RENEWAL_DUE] = TO(KEY, MAKE_KEY, NEVER),
            },
};

struct hf_renewal_move hf_renewal_move(enum hf_renewal_state state, enum hf_renewal_event event)
{
    if (state >= HF_RENEWAL_STATES || event >= HF_RENEWAL_EVENTS)
        return (struct hf_renewal_move){.known = false};
    return table[state][event];
}

static const struct {
    const char *reason, *advice;
} troubles[HF_RENEWAL_TROUBLES] = {
    [HF_RENEWAL_NO_TROUBLE] = {"", ""},
    [HF_RENEWAL_WAS_DENIED] = {"Denied", "correct what the reason names; the agent asks again within 6 hours, and when "
                                         "it starts"},
    [HF_RENEWAL_NOT_ALLOWED] = {"NotAllowed",
                                "give the agent the rights of the chart's certificates.enabled=true, and a valid "
                                "credential"},
    [HF_RENEWAL_UNUSABLE] = {"Unusable",
                             "look at the cluster's signer kubernetes.io/kube-apiserver-client, and at this "
                             "node's clock"},
    [HF_RENEWAL_NOT_STORED] = {"NotStored", "repair the folder of --client-certificate-dir; the agent tries again"},
    [HF_RENEWAL_NOT_ISSUED] = {"NotIssued",
                               "see that holdfast-controller runs with certificates.enabled=true, or approve the "
                               "request with kubectl certificate approve"},
    [HF_RENEWAL_EXPIRED] = {"Expired", "the agent asks for a new one; look at this node's clock if it does not come"},
};

const char *hf_renewal_trouble_reason(enum hf_renewal_trouble trouble)
{
    return trouble < HF_RENEWAL_TROUBLES ? troubles[trouble].reason : "";
}

const char *hf_renewal_trouble_advice(enum hf_renewal_trouble trouble)
{
    return trouble < HF_RENEWAL_TROUBLES ? troubles[trouble].advice : "";
}

uint64_t hf_renewal_date(uint64_t not_before_unix_ns, uint64_t not_after_unix_ns, uint64_t received_unix_ns,
                         uint32_t jitter)
{
    bool inside = received_unix_ns >= not_before_unix_ns && received_unix_ns < not_after_unix_ns;
    uint64_t from = inside ? received_unix_ns : HF_MIN(not_before_unix_ns, not_after_unix_ns);
    uint64_t span = HF_MIN(not_after_unix_ns - from, HF_RENEWAL_MAX_NS), tenth = span / 10;

    return from + span / 3 * 2 - tenth + 2 * (tenth / UINT32_MAX * jitter + tenth % UINT32_MAX * jitter / UINT32_MAX);
}
