/* SPDX-License-Identifier: Apache-2.0 */
/* This node wants a content.
 *
 *   DISCOVER  "who is there?" to the subnet, three times; a second later:
 *   ASK       each neighbour at once: what do you have of it? All answers, or ASK_NS later, make the decision:
 *   WAITS     for one neighbour, asked again every second or two, until it has the content: GETS. If it falls silent or
 *             gives up, DISCOVER again.
 *   GETS      the caller downloads from the neighbour; hf_share_blame() and hf_share_want() begin again
 *   FETCHES   the caller downloads from the origin, and the neighbours wait
 *
 * Every wait has a bound, because a neighbour may lie: it must grow within STALL_NS, and all waiting together ends with
 * until_ns, after which this node goes to the origin. */
#include <stdio.h>
#include <string.h>

#include "share/share_impl.h"

#define DISCOVER_NS (HF_NS_PER_S)
#define ASK_NS (4 * HF_NS_PER_S)
#define QUESTION_NS (3 * HF_NS_PER_S)
#define POLL_NS (HF_NS_PER_S)
#define SILENT_NS (20 * HF_NS_PER_S) /* a restart of an agent takes less */
#define WANTED_NS (60 * HF_NS_PER_S)
#define STALL_NS (300 * HF_NS_PER_S)
#define BUSY_NS (3 * HF_NS_PER_S)
#define REST_NS (600 * HF_NS_PER_S)
#define LIE_NS (24 * 3600 * HF_NS_PER_S)
#define WAIT_NS (1800 * HF_NS_PER_S)
enum { WAIT_BYTES_PER_S = 8 << 10, TELLS = 3, FAILURES = 3 };

static bool is_for(const struct share_want *want, const char *sha256)
{
    return want->phase != SHARE_NOTHING && strcmp(want->sha256, sha256) == 0;
}

bool share_want_is_electing(const struct share_want *want)
{
    return want->phase == SHARE_DISCOVER || want->phase == SHARE_ASK || want->phase == SHARE_WAITS;
}

static void enter(struct hf_sharing *share, enum share_phase phase)
{
    share->want.phase = phase;
    share->want.phase_ns = hf_mono_ns(share->p.clock);
    share_tick_later(share);
}

static struct share_rest *rest_of(struct hf_sharing *share, const char *node)
{
    for (size_t i = 0; i < SHARE_RESTS; i++)
        if (share->rests[i].until_ns != 0 && strcmp(share->rests[i].node, node) == 0)
            return &share->rests[i];
    return NULL;
}

static bool is_excluded(struct hf_sharing *share, const char *node, uint64_t now_ns)
{
    const struct share_rest *rest = rest_of(share, node);

    return rest != NULL && now_ns < rest->until_ns;
}

/* When the table is full, the one that would rest the shortest is forgotten. */
static void exclude(struct hf_sharing *share, const struct share_peer *peer, uint64_t for_ns, const char *why)
{
    struct share_rest *rest = rest_of(share, peer->node);

    for (size_t i = 0; i < SHARE_RESTS && (rest == NULL || strcmp(rest->node, peer->node) != 0); i++)
        if (rest == NULL || share->rests[i].until_ns < rest->until_ns)
            rest = &share->rests[i];
    (void)snprintf(rest->node, sizeof(rest->node), "%s", peer->node);
    rest->until_ns = hf_mono_ns(share->p.clock) + for_ns;
    hf_log(share->p.log, HF_LOG_WARNING, "share.left", HF_S("node", peer->node), HF_S("address", peer->host),
           HF_S("why", why), HF_S("sha256", share->want.sha256), HF_D("seconds", for_ns / HF_NS_PER_S));
}

static void set_state(struct share_peer *peer, enum hf_share_state state, uint64_t bytes, uint64_t now_ns)
{
    if (state != peer->state) {
        peer->state = state;
        peer->since_ns = peer->grew_ns = now_ns;
        peer->bytes = bytes;
    } else if (bytes > peer->bytes) {
        peer->bytes = bytes;
        peer->grew_ns = now_ns;
    }
}

/* ---- questions --------------------------------------------------------------------------------------------------- */

static void cancel_questions(struct hf_sharing *share)
{
    const struct hf_http_ops *http = hf_share_http(share);

    for (size_t i = 0; i < share->n_peers; i++) {
        if (share->peers[i].call != NULL)
            http->cancel(http->ctx, share->peers[i].call);
        share->peers[i].call = NULL;
    }
}

static void answered(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                     HF_UNUSED const struct hf_err *err)
{
    struct share_peer *peer = arg;
    struct hf_sharing *share = peer->share;
    uint64_t now_ns = hf_mono_ns(share->p.clock), bytes = 0;
    enum hf_share_state state;

    peer->call = NULL;
    if (r < 0 || response->status != 200 || hf_share_state_parse(body, &state, &bytes) < 0)
        return;
    peer->heard_ns = now_ns;
    /* It may have begun, and asked, after it gave this answer. */
    if (state < peer->state && peer->asked_ns >= share->want.phase_ns && peer->asked_ns != 0)
        return;
    set_state(peer, state, bytes, now_ns);
}

static void ask(struct share_peer *peer)
{
    struct hf_sharing *share = peer->share;
    const struct hf_http_ops *http = hf_share_http(share);
    char url[128];
    const struct hf_http_request request = {.method = "GET",
                                            .url = url,
                                            .connect_timeout_ns = QUESTION_NS,
                                            .timeout_ns = QUESTION_NS,
                                            .max_body_bytes = HF_SHARE_STATE_TEXT,
                                            .done = answered,
                                            .arg = peer};
    struct hf_err ignored = HF_ERR_INIT;

    (void)snprintf(url, sizeof(url), "https://%s:%u/v1/state/%s", peer->host, share->port, share->want.sha256);
    if (peer->call == NULL && http->start(http->ctx, &request, &peer->call, &ignored) < 0)
        peer->call = NULL;
}

/* Keeps only what there is to remember. So a flood of datagrams lasts for one discovery, and nobody waits for a node
 * that is away. */
static void forget_peers(struct hf_sharing *share)
{
    uint64_t now_ns = hf_mono_ns(share->p.clock);
    size_t n = 0;

    cancel_questions(share);
    for (size_t i = 0; i < share->n_peers; i++) {
        struct share_peer *peer = &share->peers[i];
        peer->here = peer->asked_ns != 0 && now_ns - peer->asked_ns < DISCOVER_NS + ASK_NS;
        if (peer->here || peer->failures > 0)
            share->peers[n++] = *peer;
    }
    share->n_peers = n;
}

static void discover(struct hf_sharing *share)
{
    forget_peers(share);
    share->want.told = 0;
    share->want.peer = NULL;
    enter(share, SHARE_DISCOVER);
}

static void ask_all(struct hf_sharing *share, uint64_t now_ns)
{
    enter(share, SHARE_ASK);
    for (size_t i = 0; i < share->n_peers; i++) {
        struct share_peer *peer = &share->peers[i];
        if (peer->asked_ns + DISCOVER_NS + ASK_NS < now_ns || peer->asked_ns == 0)
            set_state(peer, HF_SHARE_UNKNOWN, 0, now_ns);
        if (peer->here)
            ask(peer);
    }
}

void share_want_asked(struct hf_sharing *share, const char *sha256, struct share_peer *peer)
{
    uint64_t now_ns = hf_mono_ns(share->p.clock);

    if (!is_for(&share->want, sha256) || !share_want_is_electing(&share->want))
        return;
    peer->asked_ns = now_ns;
    if (peer->state < HF_SHARE_WANTED)
        set_state(peer, HF_SHARE_WANTED, 0, now_ns);
}

/* ---- the decision ------------------------------------------------------------------------------------------------ */

static void conclude(struct hf_sharing *share, struct share_peer *peer)
{
    struct share_want *want = &share->want;
    hf_share_decided_fn *decided = want->decided;
    void *arg = want->arg;
    char url[128];

    cancel_questions(share);
    want->peer = peer;
    want->bytes = 0;
    enter(share, peer != NULL ? SHARE_GETS : SHARE_FETCHES);
    hf_metric_add(hf_metric_with(share->downloads, HF_LABELS(peer != NULL ? "neighbour" : "origin")), 1);
    hf_log(share->p.log, HF_LOG_INFO, "share.decided", HF_S("sha256", want->sha256),
           HF_S("from", peer != NULL ? peer->node : "origin"), HF_D("neighbours", share->n_peers));
    if (peer != NULL)
        (void)snprintf(url, sizeof(url), "https://%s:%u/v1/content/%s", peer->host, share->port, want->sha256);
    decided(arg, peer != NULL ? url : NULL, peer != NULL ? peer->node : NULL);
}

static struct hf_share_decision decide(struct hf_sharing *share, uint64_t now_ns)
{
    struct hf_share_view views[SHARE_PEERS];

    for (size_t i = 0; i < share->n_peers; i++)
        views[i] = (struct hf_share_view){.node = share->peers[i].node,
                                          .state = share->peers[i].state,
                                          .busy = now_ns < share->peers[i].busy_until_ns,
                                          .excluded = !share->peers[i].here ||
                                                      is_excluded(share, share->peers[i].node, now_ns)};
    return hf_share_decide(share->want.sha256, share->node_name, views, share->n_peers);
}

static void judge(struct hf_sharing *share, uint64_t now_ns)
{
    struct share_want *want = &share->want;
    const struct hf_share_decision decision = decide(share, now_ns);
    struct share_peer *peer = decision.choice != HF_SHARE_ALONE ? &share->peers[decision.peer] : NULL;

    if (decision.choice != HF_SHARE_WAIT) {
        conclude(share, peer);
        return;
    }
    if (want->peer != peer)
        hf_log(share->p.log, HF_LOG_INFO, "share.waits", HF_S("sha256", want->sha256), HF_S("for", peer->node));
    cancel_questions(share);
    want->peer = peer;
    want->poll_ns = now_ns + POLL_NS;
    peer->heard_ns = now_ns;
    enter(share, SHARE_WAITS);
}

/* Why this node waits no longer for the neighbour, or NULL. */
static const char *find_fault(const struct share_peer *peer, uint64_t now_ns, uint64_t *ret_rest_ns)
{
    *ret_rest_ns = REST_NS;
    if (peer->state == HF_SHARE_WANTED && now_ns - peer->since_ns > WANTED_NS)
        return "it goes before this node, and does not begin";
    if (peer->state == HF_SHARE_FETCHING && now_ns - peer->grew_ns > STALL_NS)
        return "its download stands still";
    *ret_rest_ns = WANTED_NS;
    return now_ns - peer->heard_ns > SILENT_NS ? "it does not answer" : NULL;
}

static void wait_on(struct hf_sharing *share, uint64_t now_ns)
{
    struct share_want *want = &share->want;
    struct share_peer *peer = want->peer;
    uint64_t rest_ns;
    const char *fault = find_fault(peer, now_ns, &rest_ns);

    if (now_ns >= want->until_ns) {
        exclude(share, peer, LIE_NS, "all waiting has a bound");
        conclude(share, NULL);
    } else if (fault != NULL) {
        exclude(share, peer, rest_ns, fault);
        discover(share);
    } else if (peer->state < HF_SHARE_WANTED) {
        discover(share);
    } else if (peer->state == HF_SHARE_HAVE && now_ns >= peer->busy_until_ns) {
        conclude(share, peer);
    } else if (peer->call == NULL && now_ns >= want->poll_ns) {
        want->poll_ns = now_ns + (peer->state == HF_SHARE_FETCHING ? 2 : 1) * POLL_NS;
        ask(peer);
    }
}

void share_want_tick(struct hf_sharing *share, uint64_t now_ns)
{
    struct share_want *want = &share->want;
    bool pending = false;

    if (want->hurried && share_want_is_electing(want)) {
        conclude(share, NULL);
        return;
    }
    for (size_t i = 0; i < share->n_peers; i++)
        pending = pending || share->peers[i].call != NULL;
    if (want->phase == SHARE_DISCOVER && want->told < TELLS &&
        now_ns - want->phase_ns >= want->told * (DISCOVER_NS / (TELLS + 1))) {
        want->told++;
        share_tell(share);
    } else if (want->phase == SHARE_DISCOVER && now_ns - want->phase_ns >= DISCOVER_NS) {
        ask_all(share, now_ns);
    } else if (want->phase == SHARE_ASK && (!pending || now_ns - want->phase_ns >= ASK_NS)) {
        judge(share, now_ns);
    } else if (want->phase == SHARE_WAITS) {
        wait_on(share, now_ns);
    }
}

/* ---- the caller -------------------------------------------------------------------------------------------------- */

bool hf_share_want(struct hf_sharing *share, const char *sha256, uint64_t size, hf_share_decided_fn *decided, void *arg)
{
    struct share_want *want = &share->want;

    if (!hf_share_is_on(share))
        return false;
    if (!is_for(want, sha256)) {
        share_want_stop(share);
        (void)snprintf(want->sha256, sizeof(want->sha256), "%s", sha256);
        want->until_ns = hf_mono_ns(share->p.clock) + WAIT_NS + size / WAIT_BYTES_PER_S * HF_NS_PER_S;
    }
    want->hurried = false;
    want->decided = decided;
    want->arg = arg;
    discover(share);
    return true;
}

void share_want_stop(struct hf_sharing *share)
{
    if (share->client != NULL)
        cancel_questions(share);
    share->want = (struct share_want){.phase = SHARE_NOTHING};
}

void hf_share_end(struct hf_sharing *share, const char *sha256)
{
    if (share != NULL && is_for(&share->want, sha256))
        share_want_stop(share);
}

void hf_share_hurry(struct hf_sharing *share, const char *sha256)
{
    if (share != NULL && is_for(&share->want, sha256))
        share->want.hurried = true;
}

void hf_share_progress(struct hf_sharing *share, const char *sha256, uint64_t bytes)
{
    if (share != NULL && is_for(&share->want, sha256))
        share->want.bytes = HF_MAX(share->want.bytes, bytes);
}

const char *hf_share_blame(struct hf_sharing *share, const char *sha256, bool wrong)
{
    struct share_peer *peer =
        share != NULL && is_for(&share->want, sha256) && share->want.phase == SHARE_GETS ? share->want.peer : NULL;

    if (peer == NULL)
        return NULL;
    if (wrong) {
        hf_metric_add(share->wrong, 1);
        exclude(share, peer, LIE_NS, "it served other content");
    } else if (++peer->failures >= FAILURES) {
        peer->failures = 0;
        exclude(share, peer, REST_NS, "its downloads broke off");
    } else {
        peer->busy_until_ns = hf_mono_ns(share->p.clock) + BUSY_NS;
    }
    return peer->node;
}
