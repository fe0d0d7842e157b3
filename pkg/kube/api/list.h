/* SPDX-License-Identifier: Apache-2.0 */
/* kube/api/list.h - the rounds of one subscription: each collects all objects, by a WatchList or the pages of a LIST.
 * Private to pkg/kube. */
#pragma once

#include "base/err.h"
#include "kube/rules/reflector.h"
#include "kube/rules/watch_stream.h"

struct hf_kube_subscription;

enum {
    HF_KUBE_MAX_LIST_BYTES = 16 << 20,
    /* A list has at most as many pages as the ledger holds objects, divided by one of these (HF_KUBE_SMALL_PAGE: for
     * pages of 8 objects). Pages are usually fuller: this stops only a list without an end. */
    HF_KUBE_SMALL_PAGE = 5,
    HF_KUBE_PAGE = 50,
};

/* A slow link may need many minutes for a list, so the limit is for the time without a byte: of a LIST's page, and of a
 * WatchList after HF_RF_FILL_NS. The latter is shorter than the time between two bookmarks, so that a WatchList with
 * bookmarks alone ends. */
#define HF_KUBE_LIST_IDLE_NS (60 * HF_NS_PER_S)
#define HF_KUBE_FILL_IDLE_NS (45 * HF_NS_PER_S)
#define HF_KUBE_LIST_NS (900 * HF_NS_PER_S) /* limit for a page or a WatchList */
/* An API server ends an answer after its --request-timeout, usually 60 s. A LIST that breaks after this time is
 * followed by one for pages. */
#define HF_KUBE_LIST_SLOW_NS (45 * HF_NS_PER_S)

/* The round in progress. */
struct hf_kube_round {
    char version[HF_RV_TEXT]; /* at its end */
    char *next_page;          /* continue token, or NULL */
    unsigned pages;           /* received so far */
    bool reported_some;       /* since it began */
    bool contradicted;        /* an object is older than was reported before */
    bool doubtful;            /* its end must not report an object as gone */
};

/* The next round, and how it asks. */
struct hf_kube_next_round {
    bool relist; /* by the subscriber; not begun */
    bool twice;  /* hf_kube_restored(): one more list follows */
    /* a doubtful round or a line too long: the ledger may hold objects that are gone, so the next refresh lists */
    bool confirm;
    /* ask the store: the watch cache was old, or its list too large or too slow */
    bool exact;
    bool small; /* 8 objects a page: 100 were too large or too slow */
    /* ask the store, and report all objects whatever their versions; doubtful */
    bool anew;
    bool too_long; /* a line of the watch, so that a WatchList cannot name its object */
};

enum hf_kube_list {
    HF_KUBE_LIST_PROVEN,    /* the API server answered; the items are reported */
    HF_KUBE_LIST_MISSPELT,  /* a MetaServer's store answered; nothing is reported */
    HF_KUBE_LIST_BACKWARDS, /* older than earlier answers; nothing is reported */
    HF_KUBE_LIST_GARBAGE,   /* unusable, see *err; nothing is reported */
};

/* Reports the items in versions that the subscriber does not have. Each is parsed by itself; a bad one is reported as
 * unreadable, and without a readable name makes the round doubtful. PROVEN: *ret_next is the continue token or "", for
 * the caller to free. */
enum hf_kube_list hf_kube_list_take(struct hf_kube_subscription *sub, struct hf_view body, uint64_t date_unix_ns,
                                    char **ret_next, struct hf_err *err);
/* Ends a page; owns `next`. *err is set for HF_RF_GARBAGE. */
enum hf_rf_event hf_kube_list_page(struct hf_kube_subscription *sub, char *next, struct hf_err *err);
void hf_kube_list_end_round(struct hf_kube_subscription *sub);
void hf_kube_list_forget_pages(struct hf_kube_subscription *sub);
/* Too large or too slow: the next one asks the store for pages, then for smaller ones. */
void hf_kube_list_ask_for_pages(struct hf_kube_subscription *sub);
