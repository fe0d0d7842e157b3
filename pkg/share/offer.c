/* SPDX-License-Identifier: Apache-2.0 */
/* The contents that this node serves. A content is found, opened and compared with its hash on a worker at the first
 * question for it; until then the answer is that it is still being fetched. It stays open for a minute after its last
 * use, so that a swap or a cleanup meanwhile disturbs nobody. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/fd.h"
#include "share/share_impl.h"

#define KEEP_NS (60 * HF_NS_PER_S)
#define MISSING_NS (5 * HF_NS_PER_S)

/* Outlives the share and its offer. */
struct opening {
    struct hf_job job;
    struct hf_sharing *share; /* NULL: gone meanwhile */
    struct share_offer *offer;
    struct hf_share_store store;
    void *found;
    int fd;
};

static void free_offer(struct share_offer *offer)
{
    if (offer->opening != NULL)
        offer->opening->share = NULL;
    hf_closep(&offer->fd);
    *offer = (struct share_offer){.fd = -1};
}

static void work(struct hf_job *job)
{
    struct opening *opening = hf_container_of(job, struct opening, job);

    opening->fd = opening->store.open(opening->found);
}

static void opened(struct hf_job *job, int cancelled)
{
    struct opening *opening = hf_container_of(job, struct opening, job);
    struct hf_sharing *share = opening->share;

    opening->store.drop(opening->found);
    if (share != NULL) {
        bool ready = !cancelled && opening->fd >= 0;
        opening->offer->opening = NULL;
        opening->offer->state = ready ? OFFER_READY : OFFER_MISSING;
        opening->offer->fd = ready ? opening->fd : -1;
        opening->offer->until_ns = hf_mono_ns(share->p.clock) + (ready ? KEEP_NS : MISSING_NS);
        opening->fd = -1;
    }
    hf_closep(&opening->fd);
    free(opening);
}

/* The offer with the least left, of those that no worker opens; NULL: all are being opened. */
static struct share_offer *take_place(struct hf_sharing *share)
{
    struct share_offer *best = NULL;

    for (size_t i = 0; i < SHARE_OFFERS; i++) {
        struct share_offer *offer = &share->offers[i];
        if (offer->state == OFFER_FREE)
            return offer;
        if (offer->state != OFFER_OPENING && (best == NULL || offer->until_ns < best->until_ns))
            best = offer;
    }
    if (best != NULL)
        free_offer(best);
    return best;
}

static void begin_opening(struct hf_sharing *share, const char *sha256)
{
    uint64_t size = 0;
    void *found = share->store.find != NULL ? share->store.find(share->store.arg, sha256, &size) : NULL;
    struct share_offer *offer = found != NULL ? take_place(share) : NULL;
    struct opening *opening = offer != NULL ? calloc(1, sizeof(*opening)) : NULL;

    if (opening != NULL) {
        *opening = (struct opening){.job = {.work = work, .done = opened, .may_hang = true},
                                    .share = share,
                                    .offer = offer,
                                    .store = share->store,
                                    .found = found,
                                    .fd = -1};
        if (hf_job_submit(hf_loop_sched(share->p.loop), &opening->job) == 0) {
            *offer = (struct share_offer){.state = OFFER_OPENING, .opening = opening, .fd = -1, .size = size};
            (void)snprintf(offer->sha256, sizeof(offer->sha256), "%s", sha256);
            share_tick_later(share);
            return;
        }
    }
    free(opening);
    if (found != NULL)
        share->store.drop(found);
}

static struct share_offer *find(struct hf_sharing *share, const char *sha256)
{
    for (size_t i = 0; i < SHARE_OFFERS; i++)
        if (share->offers[i].state != OFFER_FREE && strcmp(share->offers[i].sha256, sha256) == 0)
            return &share->offers[i];
    return NULL;
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static void answer_text(struct hf_certified_answer *answer, const char *status, const char *text)
{
    (void)snprintf(answer->head, sizeof(answer->head),
                   "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                   status, strlen(text), text);
}

static enum hf_share_state state_of(struct hf_sharing *share, const char *sha256, uint64_t *ret_bytes)
{
    const struct share_want *want = &share->want;
    bool wanted = want->phase != SHARE_NOTHING && strcmp(want->sha256, sha256) == 0;
    const struct share_offer *offer;

    *ret_bytes = want->bytes;
    if (wanted)
        return want->phase == SHARE_FETCHES ? HF_SHARE_FETCHING : HF_SHARE_WANTED;
    if (find(share, sha256) == NULL)
        begin_opening(share, sha256);
    offer = find(share, sha256);
    if (offer == NULL || offer->state == OFFER_MISSING)
        return HF_SHARE_ABSENT;
    *ret_bytes = offer->size;
    return offer->state == OFFER_READY ? HF_SHARE_HAVE : HF_SHARE_FETCHING;
}

static void answer_content(struct hf_sharing *share, const struct hf_share_request *request,
                           struct hf_certified_answer *answer)
{
    struct share_offer *offer = find(share, request->sha256);

    if (offer == NULL || offer->state != OFFER_READY) {
        answer_text(answer, "404 Not Found", "not here\n");
        return;
    }
    if (request->ranged && request->from >= offer->size) {
        answer_text(answer, "416 Range Not Satisfiable", "beyond the end\n");
        return;
    }
    offer->until_ns = hf_mono_ns(share->p.clock) + KEEP_NS;
    answer->fd = offer->fd;
    answer->at = request->from;
    answer->n = offer->size - request->from;
    int n = snprintf(answer->head, sizeof(answer->head),
                     "HTTP/1.1 %s\r\nContent-Type: application/octet-stream\r\nContent-Length: %" PRIu64
                     "\r\nConnection: close\r\n",
                     request->ranged ? "206 Partial Content" : "200 OK", answer->n);
    if (request->ranged)
        n += snprintf(answer->head + n, sizeof(answer->head) - (size_t)n,
                      "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n", request->from, offer->size - 1,
                      offer->size);
    (void)snprintf(answer->head + n, sizeof(answer->head) - (size_t)n, "\r\n");
}

void share_offer_asked(void *arg, const struct hf_certified_request *asked, struct hf_certified_answer *ret_answer)
{
    struct hf_sharing *share = arg;
    struct hf_share_request request;
    char text[HF_SHARE_STATE_TEXT];
    uint64_t bytes = 0;

    if (hf_share_request_parse(asked->head, &request) < 0) {
        answer_text(ret_answer, "400 Bad Request", "no request of a neighbour\n");
        return;
    }
    if (request.content) {
        answer_content(share, &request, ret_answer);
        return;
    }
    struct share_peer *peer = share_peer_at(share, ((const struct sockaddr_in *)(const void *)asked->from)->sin_addr);
    if (peer != NULL) {
        (void)snprintf(peer->node, sizeof(peer->node), "%s", asked->node);
        share_want_asked(share, request.sha256, peer);
    }
    enum hf_share_state state = state_of(share, request.sha256, &bytes);
    answer_text(ret_answer, "200 OK", hf_share_state_format(state, bytes, text));
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

void share_offer_tick(struct hf_sharing *share, uint64_t now_ns)
{
    for (size_t i = 0; i < SHARE_OFFERS; i++) {
        struct share_offer *offer = &share->offers[i];
        if ((offer->state == OFFER_READY || offer->state == OFFER_MISSING) && now_ns >= offer->until_ns)
            free_offer(offer);
    }
}

void share_offer_stop(struct hf_sharing *share)
{
    for (size_t i = 0; i < SHARE_OFFERS; i++)
        free_offer(&share->offers[i]);
}
