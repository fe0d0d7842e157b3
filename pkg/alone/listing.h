/* SPDX-License-Identifier: Apache-2.0 */
/* Sandboxes and containers, read from `crictl pods -o json` and `crictl ps -a -o json`
 * (runtime.v1.ListPodSandboxResponse, ListContainersResponse). Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "codec/json.h"

enum { HF_LISTING_ID = 80, HF_LISTING_MAX = 1024 };

struct hf_listed_sandbox {
    char id[HF_LISTING_ID], uid[HF_LISTING_ID];
    char name[254], space[64];
    bool ready;
    bool ours; /* has HF_ALONE_LABEL */
};

enum hf_listed_state { HF_LISTED_CREATED, HF_LISTED_RUNNING, HF_LISTED_EXITED };

struct hf_listed_container {
    char id[HF_LISTING_ID], sandbox[HF_LISTING_ID];
    char name[64];
    enum hf_listed_state state; /* an unknown state counts as exited */
};

struct hf_listing {
    struct hf_listed_sandbox *sandboxes;
    struct hf_listed_container *containers;
    size_t n_sandboxes, n_containers;
};

/* Finds the list `key` in crictl's output, perhaps among other text. *ret_items belongs to *ret_root; NULL or null: an
 * empty list. Free *ret_root even after a failure. -EBADMSG: not such JSON. */
HF_MUST_USE int hf_listing_parse(struct hf_view text, const char *key, json_t **ret_root, const json_t **ret_items,
                                 struct hf_err *err);
/* Replace sandboxes or containers; a failure changes nothing. -EBADMSG: not such JSON. -E2BIG: over HF_LISTING_MAX. */
HF_MUST_USE int hf_listing_take_sandboxes(struct hf_listing *listing, struct hf_view text, struct hf_err *err);
HF_MUST_USE int hf_listing_take_containers(struct hf_listing *listing, struct hf_view text, struct hf_err *err);
void hf_listing_done(struct hf_listing *listing);
