/* SPDX-License-Identifier: Apache-2.0 */
/* A request to the mirror, within this area. Sending the last bytes, refusing and giving up free it. */
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
    HF_SERVING_HELD = 24 << 20, /* by all servings: six manifests at their bound */
    HF_SERVING_PIECE = 32 << 10
};

struct hf_serving {
    struct hf_list link;
    void (*on_free)(struct hf_serving *serving); /* or NULL */
    struct hf_mirror *mirror;
    struct hf_streamed_exchange *exchange; /* NULL: the client left */
    struct hf_mirror_request request;
    char origin[HF_URL_ORIGIN];
    struct hf_mirror_call *call;       /* or NULL */
    int file;                          /* or -1 */
    uint64_t at, end;                  /* of the file, or of the blob that is made */
    struct hf_mirror_look *look;       /* looks for deltas of this manifest; or NULL */
    struct hf_mirror_rebuild *rebuild; /* or NULL */
    struct hf_timer *turn;             /* the blob is made here, or waits for its turn; else NULL */
    uint64_t since_ns, drop_ns;        /* when the client got its last byte; when to ask the registry */
    bool full;                         /* the client has enough for now */
    bool rebuilt;                      /* some of its bytes were made here */
    bool begun;                        /* the head is sent */
    bool checks;                       /* `hash` covers all bytes */
    struct hf_sha256 hash;
    struct hf_buf kept; /* the newest piece, or a manifest that arrives */
    struct hf_http_response response;
    struct hf_metric *asked, *image; /* bytes for the client, by source and by image */
    struct hf_mirror_tally tally;
    struct hf_mirror_keep *keep;     /* keeps the blob in the cache; or NULL */
    bool replays;                    /* sends what the cache has, before `call` may continue */
    char last_sha256[HF_SHA256_HEX]; /* what the tag last named, if the node has that manifest; or "" */
    struct hf_timer *patience;       /* when it ends, last_sha256 is the answer; or NULL */
};

struct hf_prefetch;
struct hf_mirror {
    struct hf_mirror_params p;
    struct hf_mirror_upstream *upstream;
    struct hf_streamed *server; /* NULL: off */
    struct hf_list servings;
    struct hf_buf texts; /* of the settings */
    char *registries[HF_MIRROR_MAX_REGISTRIES + 1];
    char *stores[HF_MIRROR_STORES + 1];
    char *authorization; /* what a request has to show */
    uint64_t stale_ok_ns;
    struct hf_mirror_tags_file *tags; /* NULL: off */
    char *folder;
    struct hf_mirror_deltas deltas;
    struct hf_serving *rebuilding; /* the one whose layer is being made, or NULL */
    /* Asks for all that the client asked for; of a blob, for what is missing from `at` on. */
    void (*ask_registry)(struct hf_serving *serving);
    struct hf_mirror_cache *cache; /* or NULL */
    struct hf_prefetch *prefetch;  /* or NULL */
    const char *closed;            /* as in hf_mirror_gate() */
    int cache_failure;             /* why the last blob was not kept; 0: it was */
    struct hf_metric_family *sent, *image_asked, *image_fetched;
    struct hf_metric *fetched;
    uint64_t prefetched; /* bytes from registries, for patient requests */
};

/* False: the registry is not on the list. */
bool hf_mirror_find_registry(const struct hf_mirror *mirror, const char *name, char origin[HF_URL_ORIGIN]);

void hf_serving_free(struct hf_serving *serving); /* not NULL */
/* There is memory for `bytes` more of manifests. */
bool hf_serving_has_room(const struct hf_serving *serving, size_t bytes);
void hf_serving_refuse_for_room(struct hf_serving *serving);
/* Breaks the connection, so that no client takes its bytes for the whole. */
void hf_serving_give_up(struct hf_serving *serving);
/* `extra`: lines that end with CR LF. False: no memory, give up. */
bool hf_serving_send_head(struct hf_serving *serving, int status, const char *type, uint64_t length, const char *extra);
void hf_serving_answer(struct hf_serving *serving, int status, const char *extra, const char *text);
/* In the form that the OCI distribution specification wants; `message`: without quotes. */
void hf_serving_refuse(struct hf_serving *serving, int status, const char *code, const char *message);

/* Before a blob's bytes. `whole`: their hash is compared. `from`: their source, as in the metric. */
void hf_serving_begin_bytes(struct hf_serving *serving, bool whole, const char *from);
void hf_serving_comes_from(struct hf_serving *serving, const char *from);
bool hf_serving_send_blob_head(struct hf_serving *serving, bool partial, uint64_t from, uint64_t n, uint64_t total);
/* 1: the client has enough for now; < 0: give up. */
HF_MUST_USE int hf_serving_deliver(struct hf_serving *serving, const void *bytes, size_t n);
void hf_serving_finish(struct hf_serving *serving);
/* From the first byte on, the bytes also go into the cache. False: they cannot, and no client waits for them. */
HF_MUST_USE bool hf_serving_keep(struct hf_serving *serving, uint64_t size);
