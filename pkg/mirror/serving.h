/* SPDX-License-Identifier: Apache-2.0 */
/* A request to the mirror, within this area. Its end frees it: last bytes sent, refusal, giving up. */
#pragma once

#include "loop/http/url.h"
#include "loop/server/streamed.h"
#include "mirror/cache.h"
#include "mirror/deltas.h"
#include "mirror/mirror.h"
#include "mirror/rebuild.h"
#include "mirror/request.h"
#include "mirror/tags_file.h"

enum { HF_SERVING_MANIFEST = 4 << 20, HF_SERVING_PIECE = 32 << 10 };

struct hf_serving {
    struct hf_list link;
    void (*on_free)(struct hf_serving *serving); /* or NULL */
    struct hf_mirror *mirror;
    struct hf_streamed_exchange *exchange; /* NULL: the client left */
    struct hf_mirror_request request;
    char origin[HF_URL_ORIGIN];
    struct hf_mirror_call *call;       /* or NULL */
    int file;                          /* or -1 */
    uint64_t at, end;                  /* of the file, or the made blob */
    struct hf_mirror_look *look;       /* for this manifest's deltas; or NULL */
    struct hf_mirror_rebuild *rebuild; /* or NULL */
    struct hf_timer *turn;             /* it is made, or waits for its turn; else NULL */
    uint64_t since_ns, drop_ns;        /* without a byte for the client; when to ask the registry */
    bool full;                         /* the client has enough for now */
    bool rebuilt;                      /* some bytes were */
    bool begun;                        /* head sent */
    bool checks;                       /* `hash`: of all bytes */
    struct hf_sha256 hash;
    struct hf_buf kept; /* newest piece, or an arriving manifest */
    struct hf_http_response response;
    struct hf_metric *asked, *image; /* bytes for the client, by source and by image */
    struct hf_mirror_tally tally;
    struct hf_mirror_keep *keep;     /* into the cache; or NULL */
    bool replays;                    /* the cache's part, before `call` goes on */
    char last_sha256[HF_SHA256_HEX]; /* tag's, if the node has that manifest; or "" */
    struct hf_timer *patience;       /* then last_sha256 answers; NULL: none */
};

struct hf_prefetch;
struct hf_mirror {
    struct hf_mirror_params p;
    struct hf_mirror_upstream *upstream;
    struct hf_streamed *server; /* NULL: off */
    struct hf_list servings;
    struct hf_buf texts; /* settings' */
    char *registries[HF_MIRROR_MAX_REGISTRIES + 1];
    char *stores[HF_MIRROR_STORES + 1];
    char *authorization; /* to be shown by requests */
    uint64_t stale_ok_ns;
    struct hf_mirror_tags_file *tags; /* NULL: off */
    char *folder;
    struct hf_mirror_deltas deltas;
    struct hf_serving *rebuilding; /* its layer is being made; or NULL */
    /* All that is asked, or what a blob lacks from `at` on. */
    void (*ask_registry)(struct hf_serving *serving);
    struct hf_mirror_cache *cache; /* or NULL */
    struct hf_prefetch *prefetch;  /* or NULL */
    const char *closed;            /* hf_mirror_gate()'s */
    int cache_failure;             /* of the last blob; 0: kept */
    struct hf_metric_family *sent, *image_asked, *image_fetched;
    struct hf_metric *fetched;
    uint64_t prefetched; /* bytes from registries, patient requests' */
};

/* False: not listed. */
bool hf_mirror_find_registry(const struct hf_mirror *mirror, const char *name, char origin[HF_URL_ORIGIN]);

void hf_serving_free(struct hf_serving *serving); /* not NULL */
/* Breaks the connection: no client takes its bytes for the whole. */
void hf_serving_give_up(struct hf_serving *serving);
/* `extra`: lines with CR LF. False: no connection, give up. */
bool hf_serving_send_head(struct hf_serving *serving, int status, const char *type, uint64_t length, const char *extra);
void hf_serving_answer(struct hf_serving *serving, int status, const char *extra, const char *text);
/* In the specification's form; `message`: ours, without quotes. */
void hf_serving_refuse(struct hf_serving *serving, int status, const char *code, const char *message);

/* A blob's head and bytes, `from` as in the metric. `whole`: compared. */
void hf_serving_begin_bytes(struct hf_serving *serving, bool whole, const char *from);
void hf_serving_comes_from(struct hf_serving *serving, const char *from);
bool hf_serving_send_blob_head(struct hf_serving *serving, bool partial, uint64_t from, uint64_t n, uint64_t total);
/* 1: the client has enough for now; < 0: no memory. */
HF_MUST_USE int hf_serving_deliver(struct hf_serving *serving, const void *bytes, size_t n);
void hf_serving_finish(struct hf_serving *serving);
/* From the first byte on also into the cache. False: impossible, and nobody waits for them. */
HF_MUST_USE bool hf_serving_keep(struct hf_serving *serving, uint64_t size);
