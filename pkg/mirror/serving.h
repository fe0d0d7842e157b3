/* SPDX-License-Identifier: Apache-2.0 */
/* A request that the mirror serves; internal to this folder. Sending the last bytes, refusing, and giving up free the
 * serving. */
#pragma once

#include "loop/http/url.h"
#include "loop/server/streamed.h"
#include "mirror/cache.h"
#include "mirror/deltas.h"
#include "mirror/mirror.h"
#include "mirror/rebuild.h"
#include "mirror/request.h"
#include "mirror/tags_file.h"

enum {
    HF_SERVING_MANIFEST = 4 << 20,
    HF_SERVING_HELD = 24 << 20, /* bytes that all servings together may hold */
    HF_SERVING_PIECE = 32 << 10
};

struct hf_serving {
    struct hf_list link;
    void (*on_free)(struct hf_serving *serving);
    struct hf_mirror *mirror;
    struct hf_streamed_exchange *exchange; /* NULL: the client has its answer, while `call` learns the tag's digest */
    struct hf_mirror_request request;
    char origin[HF_URL_ORIGIN];
    struct hf_mirror_call *call;
    int file;
    uint64_t at, end;
    struct hf_mirror_look *look;
    struct hf_mirror_rebuild *rebuild;
    struct hf_timer *turn; /* set while the blob is made here, or waits to be made */
    uint64_t since_ns, drop_ns;
    bool full; /* the client has enough for now */
    bool rebuilt;
    bool begun;
    bool checks;
    struct hf_sha256 hash;
    struct hf_buf kept;
    struct hf_http_response response;
    struct hf_metric *asked, *image;
    struct hf_mirror_tally tally;
    struct hf_mirror_keep *keep;
    bool replays;
    char last_sha256[HF_SHA256_HEX]; /* digest that the tag had last, if the node has that manifest; or "" */
    struct hf_timer *patience;       /* at its end last_sha256 is served; or NULL */
};

struct hf_prefetch;
struct hf_mirror {
    struct hf_mirror_params p;
    struct hf_mirror_upstream *upstream;
    struct hf_streamed *server;
    struct hf_list servings;
    struct hf_buf texts;
    char *registries[HF_MIRROR_MAX_REGISTRIES + 1];
    char *stores[HF_MIRROR_STORES + 1];
    char *authorization;
    uint64_t stale_ok_ns;
    struct hf_mirror_tags_file *tags;
    char *folder;
    struct hf_mirror_deltas deltas;
    struct hf_serving *rebuilding;
    /* Asks the registry for what the client asked for; for the remainder of a begun blob, from `at` on. */
    void (*ask_registry)(struct hf_serving *serving);
    struct hf_mirror_cache *cache;
    struct hf_prefetch *prefetch;
    const char *closed;
    int cache_failure;
    struct hf_metric_family *sent, *image_asked, *image_fetched;
    struct hf_metric *fetched;
    uint64_t prefetched;
};

/* Finds a registry's origin. Returns false if the registry is not on the list. */
bool hf_mirror_find_registry(const struct hf_mirror *mirror, const char *name, char origin[HF_URL_ORIGIN]);

void hf_serving_free(struct hf_serving *serving); /* not NULL */
/* Whether memory may hold `bytes` more of manifests. */
bool hf_serving_has_room(const struct hf_serving *serving, size_t bytes);
void hf_serving_refuse_for_room(struct hf_serving *serving);
/* Aborts the connection, so that the client does not take its bytes for the whole. */
void hf_serving_give_up(struct hf_serving *serving);
/* `extra`: lines that end with CR LF. Returns false if memory is short: give up. */
bool hf_serving_send_head(struct hf_serving *serving, int status, const char *type, uint64_t length, const char *extra);
void hf_serving_answer(struct hf_serving *serving, int status, const char *extra, const char *text);
/* Answers with an error in the form of the OCI distribution specification. `message` must not have quotes. */
void hf_serving_refuse(struct hf_serving *serving, int status, const char *code, const char *message);

/* Call it before a blob's bytes. `whole`: compare their hash. `from`: their source, for the metric. */
void hf_serving_begin_bytes(struct hf_serving *serving, bool whole, const char *from);
void hf_serving_comes_from(struct hf_serving *serving, const char *from);
bool hf_serving_send_blob_head(struct hf_serving *serving, bool partial, uint64_t from, uint64_t n, uint64_t total);
/* Returns 1 if the client takes no more for now, < 0 to give up. */
HF_MUST_USE int hf_serving_deliver(struct hf_serving *serving, const void *bytes, size_t n);
void hf_serving_finish(struct hf_serving *serving);
/* Puts the blob's bytes into the cache, too. Returns false if that fails and no client waits for them. */
HF_MUST_USE bool hf_serving_keep(struct hf_serving *serving, uint64_t size);
