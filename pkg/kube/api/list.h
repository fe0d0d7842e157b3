/* SPDX-License-Identifier: Apache-2.0 */
/* Rounds of a subscription: each collects all objects, by a WatchList or pages of a LIST. */
#pragma once

#include "base/err.h"
#include "kube/rules/reflector.h"
#include "kube/rules/watch_stream.h"

struct hf_kube_subscription;

enum {
    HF_KUBE_MAX_LIST_BYTES = 16 << 20,
    /* A list stops after so many pages: the ledger's max_objects divided by this (SMALL: for pages of 8). */
    HF_KUBE_SMALL_PAGE = 5,
    HF_KUBE_PAGE = 50,
};

struct hf_kube_round {
    char version[HF_RV_TEXT]; /* of the list, at its end */
    char *next_page;          /* or NULL */
    unsigned pages;
    bool reported_some;
    bool contradicted; /* an object is older than reported before */
    bool doubtful;     /* its end reports nothing as gone */
};

struct hf_kube_next_round {
    bool relist; /* a new round is wanted */
    bool twice;  /* after hf_kube_restored(): one more round follows */
    /* after a doubtful round or too long a line: the ledger may have what is gone, so the next refresh lists */
    bool confirm;
    /* ask the server's store: its watch cache was old, or its list too large or slow */
    bool exact;
    bool small; /* 8 a page: 100 were too large or slow */
    /* ask the store, and report all objects whatever their versions; doubtful */
    bool anew;
    bool too_long; /* a watch had too long a line, whose object only a LIST can name */
};

enum hf_kube_list {
    HF_KUBE_LIST_PROVEN,    /* by the API server */
    HF_KUBE_LIST_MISSPELT,  /* from a MetaServer's store, or without resourceVersion; not reported */
    HF_KUBE_LIST_BACKWARDS, /* older than before; not reported */
    HF_KUBE_LIST_GARBAGE,   /* unusable, see *err; not reported */
};

/* Reports items of versions that the subscriber lacks, and bad items as unreadable; an item without a readable name
 * makes the round doubtful. PROVEN: free *ret_next, the continue token or "". */
enum hf_kube_list hf_kube_list_take(struct hf_kube_subscription *sub, struct hf_view body, uint64_t date_unix_ns,
                                    char **ret_next, struct hf_err *err);
/* Ends a page; takes its continue token `next`. Sets *err for HF_RF_GARBAGE. */
enum hf_rf_event hf_kube_list_page(struct hf_kube_subscription *sub, char *next, struct hf_err *err);
void hf_kube_list_end_round(struct hf_kube_subscription *sub);
void hf_kube_list_forget_pages(struct hf_kube_subscription *sub);
/* A list was too large or slow: the next asks the store for pages; called again, for smaller pages. */
void hf_kube_list_ask_for_pages(struct hf_kube_subscription *sub);
