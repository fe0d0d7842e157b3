/* SPDX-License-Identifier: Apache-2.0 */
/* A round of a subscription collects all objects, by a WatchList or pages of a LIST. */
#pragma once

#include "base/err.h"
#include "kube/rules/reflector.h"
#include "kube/rules/watch_stream.h"

struct hf_kube_subscription;

enum {
    HF_KUBE_MAX_LIST_BYTES = 16 << 20,
    /* A list may have max_objects / HF_KUBE_PAGE pages; with pages of 8 objects, max_objects / HF_KUBE_SMALL_PAGE. */
    HF_KUBE_SMALL_PAGE = 5,
    HF_KUBE_PAGE = 50,
};

struct hf_kube_round {
    char version[HF_RV_TEXT];
    char *next_page; /* continue token, or NULL */
    unsigned pages;
    bool reported_some;
    bool contradicted; /* the list has an object older than reported before */
    bool doubtful;     /* the end of the round reports no object as gone */
};

struct hf_kube_next_round {
    bool relist;
    bool twice; /* after hf_kube_restored(): one more round follows */
    /* the next refresh lists: the ledger may have objects that are gone */
    bool confirm;
    /* list from the server's store: its watch cache is old, or the list too large or slow */
    bool exact;
    bool small; /* 8 objects a page, not 100 */
    /* list from the store, and report all objects, also in known versions; the round is doubtful */
    bool anew;
    bool too_long; /* a watch had too long a line */
};

enum hf_kube_list {
    HF_KUBE_LIST_PROVEN,
    HF_KUBE_LIST_MISSPELT,  /* from a MetaServer's store: misspelt kind, or no resourceVersion; not reported */
    HF_KUBE_LIST_BACKWARDS, /* older than an earlier answer; not reported */
    HF_KUBE_LIST_GARBAGE,   /* unusable, see *err; not reported */
};

/* Reports the items that are new to the subscriber, and bad items as unreadable. PROVEN: free *ret_next, the continue
 * token or "". */
enum hf_kube_list hf_kube_list_take(struct hf_kube_subscription *sub, struct hf_view body, uint64_t date_unix_ns,
                                    char **ret_next, struct hf_err *err);
/* Ends a page, whose continue token `next` it takes over. Sets *err with HF_RF_GARBAGE. */
enum hf_rf_event hf_kube_list_page(struct hf_kube_subscription *sub, char *next, struct hf_err *err);
void hf_kube_list_end_round(struct hf_kube_subscription *sub);
void hf_kube_list_forget_pages(struct hf_kube_subscription *sub);
void hf_kube_list_ask_for_pages(struct hf_kube_subscription *sub);
