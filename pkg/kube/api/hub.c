/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/api/hub.h"

#include "kube/api/client.h"

/* A review that an API server answers with the header doubles the wait for the next one, up to this. */
#define HF_KUBE_REVIEW_MAX_NS (3600 * HF_NS_PER_S)

/* Only an API server gives a verdict. If the verdict comes without the header, a gateway removes the header. */
static void review_ended(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                         HF_UNUSED const struct hf_err *why)
{
    struct hf_kube *kube = arg;

    kube->hub.review = NULL;
    hf_kube_count_request(kube, "review", r, response);
    if (r < 0 || hf_review_take(response->status, body) == HF_REVIEW_UNANSWERED)
        return;
    if (response->has_audit_id) {
        kube->hub.wait_ns = HF_MIN(2 * kube->hub.wait_ns, HF_KUBE_REVIEW_MAX_NS);
        kube->hub.due_ns = hf_kube_now_ns(kube) + kube->hub.wait_ns;
        return;
    }
    hf_log(kube->p.world.log, HF_LOG_WARNING, "kube.unnamed", HF_S("server", kube->p.config->server));
    hf_origin_found_unnamed(&kube->hub.origin);
    hf_kube_reached(kube);
    hf_kube_return_ready(kube);
}

void hf_kube_hub_turn(struct hf_kube *kube)
{
    const struct hf_exchange_owner owner = {.ended = review_ended, .arg = kube};

    if (!kube->hub.wanted)
        return;
    kube->hub.wanted = false;
    kube->hub.due_ns = hf_kube_now_ns(kube) + kube->hub.wait_ns;
    if (kube->hub.review == NULL &&
        hf_kube_review_start(kube, hf_resource_find("EdgeNode"), &owner, &kube->hub.review) < 0)
        kube->hub.review = NULL; /* the next second-hand answer asks again */
}
