/* SPDX-License-Identifier: Apache-2.0 */
/* A turn looks at each image in order, and asks for the first blob that is missing and whose time has come. When the
 * answer has ended, and the cache has synced the blob, the next turn looks again: a blob that is still missing has
 * failed, for the reason that the cache, the answer or the registry gave, and its image waits.
 *
 * The first request for an image is always for its manifest, also if it is here, since the mirror then looks for deltas
 * of its layers.
 *
 * What is missing is looked for in the stores each time: there is no state to lose. Of what the manifests say each turn
 * reads a part anew. Each failure has a name and a delay that grows. */
#include "mirror/prefetch.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "mirror/image.h"
#include "oci/manifest.h"

enum { HF_PREFETCH_MAX = 64 };

enum { BLOBS = HF_OCI_LAYERS + 3, SHIFTS = 5, SLOW_BYTES = 64 << 10 };
#define RETRY_NS (60 * HF_NS_PER_S) /* doubles, SHIFTS times */
#define LOOK_NS (300 * HF_NS_PER_S) /* containerd may have dropped what was here */
#define SYNC_NS (20 * HF_NS_PER_MS)
#define COUNT_NS HF_NS_PER_S
#define SLOW_NS (300 * HF_NS_PER_S) /* for SLOW_BYTES, while another image waits */

struct prefetch_image {
    struct hf_mirror_image image;
    int lacks; /* as hf_mirror_image_next() has said in this turn: 1, `missing` */
    struct hf_mirror_blob missing;
    bool ready, looked; /* all of it is here; deltas were looked for since the start */
    const char *reason, *why;
    char problem[256]; /* `why` may be this */
    unsigned failures;
    uint64_t again_ns;
};

struct hf_prefetch {
    struct hf_mirror *mirror;
    struct hf_timer *timer;
    char *platform;
    const char *closed;
    struct prefetch_image *items;
    size_t n, named;               /* named: how many of them, at the beginning, go before the others */
    char (*wanted)[HF_SHA256_HEX]; /* the named images' first; sorted both */
    size_t wanted_n, wanted_named;
    bool others_yield; /* room is made for a named image */
    struct hf_http_call *call;
    struct prefetch_image *asks; /* whose blob comes, or has come */
    struct hf_mirror_blob missing;
    int status;
    uint64_t told;             /* of mirror->prefetched */
    uint64_t got;              /* bytes that `call` brought, */
    uint64_t slow_at, slow_ns; /* and when they are too few */
    bool has_cache, is_whole;  /* is_whole: the manifests that are here have been read */
    size_t reread;             /* the next image whose manifests are read anew */
    struct hf_mirror_ready ready;
};

/* ---- what is known ----------------------------------------------------------------------------------------------- */

static bool has(char (*sorted)[HF_SHA256_HEX], size_t n, const char *sha256)
{
    return n > 0 && bsearch(sha256, sorted, n, sizeof(*sorted), hf_array_by_text) != NULL;
}

bool hf_prefetch_wants(const struct hf_prefetch *prefetch, const char *sha256)
{
    if (prefetch == NULL)
        return false;
    const size_t named = prefetch->wanted_named, others = prefetch->others_yield ? 0 : prefetch->wanted_n - named;
    return has(prefetch->wanted, named, sha256) || has(prefetch->wanted + named, others, sha256);
}

static void sort(char (*wanted)[HF_SHA256_HEX], size_t n)
{
    if (n > 0)
        qsort(wanted, n, sizeof(*wanted), hf_array_by_text);
}

static void want(void *arg, const char *sha256)
{
    struct hf_prefetch *prefetch = arg;

    if (prefetch->wanted_n < prefetch->n * BLOBS)
        memcpy(prefetch->wanted[prefetch->wanted_n++], sha256, HF_SHA256_HEX);
}

/* Of all images before room is made for one: else its blobs would push out those of the others, and its own. False: the
 * next turn goes on; many large manifests would hold up the loop. */
static bool find_missing(struct hf_prefetch *prefetch)
{
    size_t bytes = HF_MIRROR_IMAGE_READ;
    bool whole = true;

    if (prefetch->n > 0 && prefetch->is_whole)
        hf_mirror_image_forget(&prefetch->items[prefetch->reread++ % prefetch->n].image);
    prefetch->wanted_n = prefetch->wanted_named = 0;
    for (size_t i = 0; i < prefetch->n; i++) {
        struct prefetch_image *item = &prefetch->items[i];
        item->lacks = hf_mirror_image_next(prefetch->mirror->stores, &item->image, prefetch->platform, &bytes, want,
                                           prefetch, &item->missing);
        whole = whole && item->lacks != -EAGAIN;
        if (i < prefetch->named)
            prefetch->wanted_named = prefetch->wanted_n;
    }
    sort(prefetch->wanted, prefetch->wanted_named);
    sort(prefetch->wanted + prefetch->wanted_named, prefetch->wanted_n - prefetch->wanted_named);
    prefetch->is_whole = whole;
    return whole;
}

static const char *why_closed(const char *reason)
{
    static const struct {
        const char *reason, *why;
    } rows[] = {{"LinkWindowClosed", "waits for a window of spec.connectivity"},
                {"LinkQuotaUsed", "waits: spec.connectivity.maxBytesPerDay is used up"},
                {"WriteBudgetUsed", "waits: spec.disk.writeBudget is used up"}};

    for (size_t i = 0; i < HF_LEN(rows); i++)
        if (strcmp(rows[i].reason, reason) == 0)
            return rows[i].why;
    return "waits: the time is not sure enough to know if a window of spec.connectivity is open";
}

/* Fills in prefetch->ready; true: it has changed. */
static bool conclude(struct hf_prefetch *prefetch)
{
    struct hf_mirror_ready ready = {.asked = true, .reason = "Ready"};
    const struct prefetch_image *first = NULL;
    size_t here = 0;

    for (size_t i = 0; i < prefetch->n; i++) {
        here += prefetch->items[i].ready;
        if (first == NULL && !prefetch->items[i].ready)
            first = &prefetch->items[i];
    }
    ready.ready = first == NULL;
    if (first == NULL) {
        (void)snprintf(ready.message, sizeof(ready.message), "all %zu images are here", here);
    } else {
        ready.reason = first->reason;
        (void)snprintf(ready.message, sizeof(ready.message),
                       "%zu of %zu images are here; %.150s/%.150s@sha256:%.12s %s", here, prefetch->n,
                       first->image.registry, first->image.name, first->image.sha256, first->why);
    }
    bool same = ready.ready == prefetch->ready.ready && prefetch->ready.reason != NULL &&
                strcmp(ready.reason, prefetch->ready.reason) == 0 &&
                strcmp(ready.message, prefetch->ready.message) == 0;
    prefetch->ready = ready;
    return !same;
}

struct hf_mirror_ready hf_prefetch_ready(const struct hf_prefetch *prefetch)
{
    return prefetch->ready;
}

static void count(struct hf_prefetch *prefetch)
{
    const struct hf_mirror_params *p = &prefetch->mirror->p;
    uint64_t n = prefetch->mirror->prefetched - prefetch->told;

    prefetch->told += n;
    if (n > 0 && p->prefetched != NULL)
        p->prefetched(p->arg, n);
}

/* ---- one blob ---------------------------------------------------------------------------------------------------- */

static void arm(struct hf_prefetch *prefetch, uint64_t delay_ns)
{
    hf_timer_arm(prefetch->mirror->p.upstream.sched, prefetch->timer, delay_ns);
}

static void fail(struct hf_prefetch *prefetch, struct prefetch_image *item, const char *reason, const char *why)
{
    const struct hf_mirror *mirror = prefetch->mirror;

    item->reason = reason;
    item->why = why;
    item->again_ns = hf_mono_ns(mirror->p.upstream.clock) + (RETRY_NS << HF_MIN(item->failures, (unsigned)SHIFTS));
    item->failures++;
    hf_log(mirror->p.log, HF_LOG_WARNING, "image.not_ready", HF_S("registry", item->image.registry),
           HF_S("name", item->image.name), HF_S("sha256", item->image.sha256), HF_S("reason", reason),
           HF_S("why", why));
}

static void fail_for_room(struct hf_prefetch *prefetch, struct prefetch_image *item, int r)
{
    if (r == -EDQUOT)
        fail(prefetch, item, "CacheFull", "does not fit into spec.images.mirror.maxBytes beside the others");
    else if (r == -ENOSPC)
        fail(prefetch, item, "DiskFull", "waits for room on the disk: a twentieth of it stays free");
    else
        fail(prefetch, item, "CacheFailed", "cannot be written to mirror/cache of the state folder");
}

static void fail_for_rights(struct hf_prefetch *prefetch, struct prefetch_image *item)
{
    const struct hf_mirror *mirror = prefetch->mirror;
    char origin[HF_URL_ORIGIN];
    const char *problem = hf_mirror_find_registry(mirror, item->image.registry, origin)
                              ? hf_mirror_upstream_problem(mirror->upstream, origin, item->image.name)
                              : NULL;

    if (problem == NULL) {
        fail(prefetch, item, "Denied", "is denied by its registry: agent.yaml has the node's credentials");
        return;
    }
    (void)snprintf(item->problem, sizeof(item->problem), "is denied without a login: %.220s", problem);
    fail(prefetch, item, "LoginFailed", item->problem);
}

/* The blob that was asked for is still missing. */
static void take_failure(struct hf_prefetch *prefetch)
{
    struct prefetch_image *item = prefetch->asks;
    int cache = prefetch->mirror->cache_failure;

    if (cache != 0)
        fail_for_room(prefetch, item, cache);
    else if (prefetch->status == 404)
        fail(prefetch, item, "ImageUnknown", "is unknown to its registry");
    else if (prefetch->status == 403)
        fail_for_rights(prefetch, item);
    else
        fail(prefetch, item, "RegistryFailed", "does not come: the registry is away, ill, or sends other content");
}

static int on_response(void *arg, const struct hf_http_response *response)
{
    struct hf_prefetch *prefetch = arg;

    prefetch->status = response->status;
    return 0;
}

static int on_body(void *arg, HF_UNUSED const void *bytes, size_t n)
{
    struct hf_prefetch *prefetch = arg;

    prefetch->got += n;
    return 0;
}

static void done(void *arg, int r, HF_UNUSED const struct hf_http_response *response, HF_UNUSED struct hf_view body,
                 HF_UNUSED const struct hf_err *err)
{
    struct hf_prefetch *prefetch = arg;

    prefetch->call = NULL;
    if (r < 0 && prefetch->status == 200)
        prefetch->status = 0;
    count(prefetch);
    arm(prefetch, 0);
}

/* What the registry sent of a delta counts, and what a worker made of it. */
static uint64_t progress_of(const struct hf_prefetch *prefetch)
{
    return prefetch->got + prefetch->mirror->prefetched;
}

static void set_pace(struct hf_prefetch *prefetch)
{
    prefetch->slow_at = progress_of(prefetch) + SLOW_BYTES;
    prefetch->slow_ns = hf_mono_ns(prefetch->mirror->p.upstream.clock) + SLOW_NS;
}

static void ask(struct hf_prefetch *prefetch, struct prefetch_image *item, const struct hf_mirror_blob *missing)
{
    struct hf_mirror *mirror = prefetch->mirror;
    const struct hf_http_ops *http = mirror->p.upstream.http;
    char url[HF_MIRROR_REGISTRY + HF_MIRROR_NAME + 200], secret[HF_MIRROR_AUTHORIZATION + 20];
    const struct hf_http_request request = {.method = "GET",
                                            .url = url,
                                            .headers = {"Accept: " HF_OCI_TYPE_INDEX ", " HF_OCI_TYPE_DOCKER_LIST
                                                        ", " HF_OCI_TYPE_MANIFEST ", " HF_OCI_TYPE_DOCKER_MANIFEST
                                                        ", */*",
                                                        "X-Holdfast-Prefetch: 1"},
                                            .credential = secret,
                                            .max_body_bytes = UINT64_MAX,
                                            .on_response = on_response,
                                            .on_body = on_body,
                                            .done = done,
                                            .arg = prefetch};

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/v2/%s/%s/sha256:%s?ns=%s", hf_streamed_port(mirror->server),
                   item->image.name, missing->manifest ? "manifests" : "blobs", missing->sha256, item->image.registry);
    (void)snprintf(secret, sizeof(secret), "Authorization: %s", mirror->authorization);
    prefetch->status = 0;
    prefetch->got = 0;
    set_pace(prefetch);
    mirror->cache_failure = 0;
    prefetch->asks = item;
    prefetch->missing = *missing;
    item->looked = item->looked || missing->manifest;
    item->reason = "Fetching";
    item->why = "comes from its registry";
    int r = http->start(http->ctx, &request, &prefetch->call, NULL);
    explicit_bzero(secret, sizeof(secret));
    if (r < 0)
        prefetch->call = NULL;
    arm(prefetch, COUNT_NS);
}

/* ---- a turn ------------------------------------------------------------------------------------------------------ */

/* A named image pushes out the others, but what nobody wants goes first. */
static int make_room(struct hf_prefetch *prefetch, const struct prefetch_image *item, uint64_t bytes)
{
    int r = hf_mirror_cache_room(prefetch->mirror->cache, bytes);

    if (r == 0 || (size_t)(item - prefetch->items) >= prefetch->named)
        return r;
    prefetch->others_yield = true;
    r = hf_mirror_cache_room(prefetch->mirror->cache, bytes);
    prefetch->others_yield = false;
    return r;
}

/* True: a blob is asked for. */
static bool look(struct hf_prefetch *prefetch, struct prefetch_image *item, bool busy)
{
    struct hf_mirror *mirror = prefetch->mirror;
    struct hf_mirror_blob missing = item->missing;
    char origin[HF_URL_ORIGIN];
    int r = item->lacks;

    if (!hf_mirror_find_registry(mirror, item->image.registry, origin)) {
        item->reason = "RegistryNotListed";
        item->why = "is of a registry that spec.images.mirror.registries does not have";
        return false;
    }
    item->ready = r == 0;
    if (r == 0) {
        item->failures = 0;
        return false;
    }
    if (r == -ENOENT || r == -EBADMSG || r == -E2BIG) {
        item->reason = r == -ENOENT ? "NoPlatform" : "NotAnImage";
        item->why = r == -ENOENT ? "has no image for this machine" : "is no image that can be read";
        return false;
    }
    if (prefetch->asks == item && !busy && strcmp(missing.sha256, prefetch->missing.sha256) == 0)
        take_failure(prefetch);
    else if (prefetch->asks == item && !busy)
        item->failures = 0;
    uint64_t now_ns = hf_mono_ns(mirror->p.upstream.clock);
    if (r < 0 || busy || (item->failures > 0 && now_ns < item->again_ns))
        return false;
    if (prefetch->closed != NULL) {
        item->reason = prefetch->closed;
        item->why = why_closed(prefetch->closed);
        return false;
    }
    r = make_room(prefetch, item, missing.size);
    if (r < 0) {
        fail_for_room(prefetch, item, r);
        return false;
    }
    if (!item->looked) {
        missing = (struct hf_mirror_blob){.manifest = true};
        memcpy(missing.sha256, item->image.sha256, sizeof(missing.sha256));
    }
    ask(prefetch, item, &missing);
    return true;
}

/* As the last look has it. */
static bool another_waits(const struct hf_prefetch *prefetch)
{
    uint64_t now_ns = hf_mono_ns(prefetch->mirror->p.upstream.clock);
    char origin[HF_URL_ORIGIN];

    for (size_t i = 0; i < prefetch->n; i++) {
        const struct prefetch_image *item = &prefetch->items[i];
        if (item != prefetch->asks && item->lacks == 1 && (item->failures == 0 || now_ns >= item->again_ns) &&
            hf_mirror_find_registry(prefetch->mirror, item->image.registry, origin))
            return true;
    }
    return false;
}

/* A registry that sends a byte now and then would hold up the images of all others, for ever. */
static void end_trickle(struct hf_prefetch *prefetch)
{
    const struct hf_http_ops *http = prefetch->mirror->p.upstream.http;

    if (progress_of(prefetch) >= prefetch->slow_at)
        set_pace(prefetch);
    if (hf_mono_ns(prefetch->mirror->p.upstream.clock) < prefetch->slow_ns || !another_waits(prefetch))
        return;
    http->cancel(http->ctx, hf_steal(prefetch->call));
    fail(prefetch, hf_steal(prefetch->asks), "RegistryFailed", "comes so slowly that other images go first");
}

static uint64_t next_ns(const struct hf_prefetch *prefetch)
{
    uint64_t now_ns = hf_mono_ns(prefetch->mirror->p.upstream.clock), until_ns = now_ns + LOOK_NS;

    for (size_t i = 0; i < prefetch->n; i++)
        if (prefetch->items[i].failures > 0 && !prefetch->items[i].ready)
            until_ns = HF_MIN(until_ns, HF_MAX(prefetch->items[i].again_ns, now_ns + COUNT_NS));
    return until_ns - now_ns;
}

static void turn(void *arg)
{
    struct hf_prefetch *prefetch = arg;
    const struct hf_mirror_params *p = &prefetch->mirror->p;

    count(prefetch);
    if (prefetch->call != NULL)
        end_trickle(prefetch);
    bool busy = prefetch->call != NULL;
    if (busy) {
        arm(prefetch, COUNT_NS);
        return;
    }
    if (prefetch->asks != NULL && hf_mirror_cache_syncs(prefetch->mirror->cache, prefetch->missing.sha256)) {
        arm(prefetch, SYNC_NS);
        return;
    }
    arm(prefetch, LOOK_NS);
    if (prefetch->has_cache && !find_missing(prefetch)) {
        arm(prefetch, 0);
        return;
    }
    for (size_t i = 0; i < prefetch->n && prefetch->has_cache; i++)
        busy |= look(prefetch, &prefetch->items[i], busy);
    if (!busy) {
        prefetch->asks = NULL;
        arm(prefetch, next_ns(prefetch));
    }
    if (conclude(prefetch) && p->ready_changed != NULL)
        p->ready_changed(p->arg);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void cancel(struct hf_prefetch *prefetch)
{
    const struct hf_http_ops *http = prefetch->mirror->p.upstream.http;

    if (prefetch->call != NULL)
        http->cancel(http->ctx, hf_steal(prefetch->call));
    prefetch->asks = NULL;
    count(prefetch);
}

void hf_prefetch_gate(struct hf_prefetch *prefetch, const char *closed)
{
    if (closed == prefetch->closed)
        return;
    prefetch->closed = closed;
    if (closed != NULL)
        cancel(prefetch);
    arm(prefetch, 0);
}

struct hf_prefetch *hf_prefetch_new(struct hf_mirror *mirror, const char *const *images, size_t named,
                                    const char *platform, bool has_cache)
{
    struct hf_prefetch *prefetch = calloc(1, sizeof(*prefetch));
    size_t n = 0;

    if (prefetch == NULL)
        return NULL;
    *prefetch = (struct hf_prefetch){.mirror = mirror, .told = mirror->prefetched, .has_cache = has_cache};
    while (n < HF_PREFETCH_MAX && images[n] != NULL)
        n++;
    prefetch->timer = hf_timer_new(mirror->p.upstream.sched, turn, prefetch);
    prefetch->platform = strdup(platform);
    prefetch->items = calloc(n + 1, sizeof(*prefetch->items));
    prefetch->wanted = calloc(n * BLOBS + 1, sizeof(*prefetch->wanted));
    if (prefetch->timer == NULL || prefetch->platform == NULL || prefetch->items == NULL || prefetch->wanted == NULL) {
        hf_prefetch_free(prefetch);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        struct prefetch_image *item = &prefetch->items[prefetch->n];
        item->reason = has_cache ? "Fetching" : "NoCache";
        item->why = has_cache ? "is looked for" : "waits for spec.images.mirror with maxBytes";
        prefetch->n += hf_mirror_image_parse(images[i], &item->image);
        if (i < named)
            prefetch->named = prefetch->n;
    }
    (void)conclude(prefetch);
    arm(prefetch, 0);
    return prefetch;
}

void hf_prefetch_free(struct hf_prefetch *prefetch)
{
    if (prefetch == NULL)
        return;
    cancel(prefetch);
    hf_timer_free(prefetch->mirror->p.upstream.sched, prefetch->timer);
    for (size_t i = 0; i < prefetch->n; i++)
        hf_mirror_image_forget(&prefetch->items[i].image);
    free(prefetch->platform);
    free(prefetch->items);
    free(prefetch->wanted);
    free(prefetch);
}
