/* SPDX-License-Identifier: Apache-2.0 */
/* support/apiserver_sim.h - a kube-apiserver as far as agents see it, on a simnet: lists, watches with history,
 * bookmarks and WatchList, 410 after compaction, server-side apply of labels and status. And, in front of it, a
 * KubeEdge MetaServer with its store, its ghosts and its 10 s (metaserver_sim.h). Objects are cluster-scoped:
 * EdgeUpdate, SyncPolicy, EdgeNode, Node. */
#pragma once

#include "codec/json.h"
#include "support/fakes/simnet.h"

struct hf_simapi;

/* What was asked, for the tests that hold us to "no relist", "no poll". */
struct hf_simapi_counts {
    unsigned lists, pages, watchlists, watches, patches, single, refused;
    unsigned exact_lists;  /* without resourceVersion: from the store */
    unsigned bare_watches; /* without resourceVersion: must stay 0 */
    unsigned bare_patches; /* without field manager or force */
    unsigned emptied;      /* merge patches that remove a status */
    unsigned by_hub;       /* answered in its place, see hf_simapi_set_hub */
    unsigned knocks;       /* lists of one object at most */
    unsigned reviews;      /* SelfSubjectAccessReviews, each of which it allows */
    unsigned other;        /* anything else: questions whether we are there */
};

struct hf_simapi *hf_simapi_new(struct hf_simloop *loop, struct hf_simnet *net, const char *prefix);
void hf_simapi_free(struct hf_simapi *api); /* after the net's clients, before the net */
HF_DEFINE_CLEANUP(struct hf_simapi, hf_simapi_free)
const struct hf_simapi_counts *hf_simapi_counts(const struct hf_simapi *api);

/* Create or replace (reference taken over); resourceVersion, uid, generation are set. Returns the new resourceVersion.
 */
uint64_t hf_simapi_put(struct hf_simapi *api, json_t *object);
/* The same from text; aborts when it is no JSON. */
uint64_t hf_simapi_put_text(struct hf_simapi *api, const char *text);
bool hf_simapi_delete(struct hf_simapi *api, const char *kind, const char *name);
json_t *hf_simapi_get(const struct hf_simapi *api, const char *kind, const char *name); /* borrowed; NULL */
uint64_t hf_simapi_version(const struct hf_simapi *api);
/* Every object of a kind, in name order. */
void hf_simapi_each(const struct hf_simapi *api, const char *kind, void (*visit)(void *arg, json_t *object), void *arg);
/* Called for every change (deleted: its last state). For doubles that stand in front. */
void hf_simapi_on_change(struct hf_simapi *api,
                         void (*changed)(void *arg, const char *type, const char *kind, json_t *object), void *arg);
/* Gets what is asked of no kind that it knows, when it would answer; false: the request is not for `rest` either (404). */
void hf_simapi_on_rest(struct hf_simapi *api, bool (*rest)(void *arg, struct hf_simcall *call), void *arg);
/* The same parts for a double in front of it: a list as text, and an apply. `url` as asked for. */
char *hf_simapi_list_text(const struct hf_simapi *api, const char *kind, const char *list_kind, const char *name);
json_t *hf_simapi_apply(struct hf_simapi *api, const char *kind, const char *name, const char *subresource,
                        const char *manager, struct hf_view body, int *ret_status); /* borrowed; NULL and a status */

/* Another field manager owns these fields of the status of each object of this kind (text of an object): every apply
 * leaves them in place, until a merge patch removes the status. */
void hf_simapi_haunt(struct hf_simapi *api, const char *kind, const char *status);
void hf_simapi_keep_ghosts(struct hf_simapi *api); /* it refuses to remove a status */

/* While `away`, OpenYurt's YurtHub answers in its place: lists and objects from a cache, watches without events, and 200
 * or 201 to writes, which it drops. `forgot`: the cache is empty. */
void hf_simapi_set_hub(struct hf_simapi *api, bool away, bool forgot);
/* A gateway on the way removes the header Audit-Id from the answers of the server, also from its verdicts or not. */
void hf_simapi_strip(struct hf_simapi *api, bool stripped, bool also_verdicts);
void hf_simapi_set_watchlist(struct hf_simapi *api, bool offered); /* default true */
/* It takes a WatchList, and never says that all objects have come. */
void hf_simapi_endless_watchlist(struct hf_simapi *api);
/* Its store (an old etcd) cannot do it: the watch is taken, and ended with ERROR 500. */
void hf_simapi_break_watchlist(struct hf_simapi *api);
void hf_simapi_set_bookmarks(struct hf_simapi *api,
                             uint64_t period_ns);               /* of streams opened from now on; default 60 s, each
 * counted from its beginning; 0: none but WatchList's */
void hf_simapi_set_page(struct hf_simapi *api, size_t objects); /* lists in pages of this many; 0: whole */
void hf_simapi_set_crds(struct hf_simapi *api, bool installed); /* not: 404 for everything */
void hf_simapi_fail(struct hf_simapi *api, unsigned times, int status, uint64_t retry_after_ns); /* the next requests */
/* Answers each request whose target has `part` in it with this status; NULL: none any more. Borrows `part`. */
void hf_simapi_fail_at(struct hf_simapi *api, const char *part, int status);
/* The status for a request of this process, such as 401; 0: it is let in. */
void hf_simapi_authenticate(struct hf_simapi *api, int (*judge)(void *arg, const char *client), void *arg);
/* Each kind's cache is empty until somebody asks for the kind, and full `fill_ns` later. Meanwhile the server refuses
 * watches, and lists with a selector, with 429. */
void hf_simapi_empty_caches(struct hf_simapi *api, uint64_t fill_ns);
void hf_simapi_forbid_writes(struct hf_simapi *api, bool forbidden); /* 403 for each of them */
void hf_simapi_forbid_events(struct hf_simapi *api, bool forbidden); /* 403 for each of them */
void hf_simapi_raw(struct hf_simapi *api, const char *kind, const void *bytes,
                   size_t n); /* into every open watch of a kind */
/* Something on the way swallows what the open watches of a kind would get from now on. */
void hf_simapi_mute(struct hf_simapi *api, const char *kind);
void hf_simapi_compact(struct hf_simapi *api);                          /* forget the history: 410 for who is behind */
void hf_simapi_expire_watches(struct hf_simapi *api);                   /* every open watch gets ERROR 410 */
void hf_simapi_end_watches_of(struct hf_simapi *api, const char *kind); /* the same for one kind */
void hf_simapi_end_watches(struct hf_simapi *api);                      /* in good order, as after timeoutSeconds */
void hf_simapi_rewind(struct hf_simapi *api, uint64_t version);         /* a restored backup: counts on from there */
void hf_simapi_stale_cache(struct hf_simapi *api, uint64_t behind); /* resourceVersion=0 is answered this much behind */
