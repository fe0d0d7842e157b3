/* SPDX-License-Identifier: Apache-2.0 */
/* Rounds: each collects all objects, by a WatchList or pages of a LIST. Private to pkg/kube. */
#pragma once

#include "base/err.h"
#include "kube/rules/reflector.h"
#include "kube/rules/watch_stream.h"

struct hf_kube_subscription;

enum {
    HF_KUBE_MAX_LIST_BYTES = 16 << 20,
    /* Pages at most: objects of the ledger divided by this (SMALL: pages of 8). Pages are usually fuller: only an
     * endless list is stopped. */
    HF_KUBE_SMALL_PAGE = 5,
    HF_KUBE_PAGE = 50,
};

struct hf_kube_round {
    char version[HF_RV_TEXT]; /* at its end */
    char *next_page;          /* or NULL */
    unsigned pages;
    bool reported_some;
    bool contradicted; /* an object is older than reported before */
    bool doubtful;     /* lists nothing as gone */
};

struct hf_kube_next_round {
    bool relist; /* by the subscriber */
    bool twice;  /* for hf_kube_restored() */
    /* doubtful round or too long a line: maybe something is gone, so the next refresh lists */
    bool confirm;
    /* from the store: the watch cache was old, or its list too large or slow */
    bool exact;
    bool small; /* 8 a page: 100 were too large or slow */
    /* all from the store, whatever their versions; doubtful */
    bool anew;
    bool too_long; /* of the watch, by an object that a WatchList cannot name */
};

enum hf_kube_list {
    HF_KUBE_LIST_PROVEN,    /* by the API server */
    HF_KUBE_LIST_MISSPELT,  /* by a MetaServer's store; not reported, as the next */
    HF_KUBE_LIST_BACKWARDS, /* older than before */
    HF_KUBE_LIST_GARBAGE,   /* unusable */
};

/* Reports items of versions that the subscriber lacks. Bad ones are unreadable; one without a readable name makes the
 * round doubtful. PROVEN: free *ret_next, the continue token or "". */
enum hf_kube_list hf_kube_list_take(struct hf_kube_subscription *sub, struct hf_view body, uint64_t date_unix_ns,
                                    char **ret_next, struct hf_err *err);
/* Ends a page; owns `next`. *err: for HF_RF_GARBAGE. */
enum hf_rf_event hf_kube_list_page(struct hf_kube_subscription *sub, char *next, struct hf_err *err);
void hf_kube_list_end_round(struct hf_kube_subscription *sub);
void hf_kube_list_forget_pages(struct hf_kube_subscription *sub);
/* Too large or slow: next pages from the store, then smaller ones. */
void hf_kube_list_ask_for_pages(struct hf_kube_subscription *sub);
