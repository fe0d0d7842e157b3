/* SPDX-License-Identifier: Apache-2.0 */
/* The sandboxes and containers of a container runtime, as `crictl pods -o json` and `crictl ps -a -o json` list them
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
    enum hf_listed_state state; /* an unknown one counts as exited */
};

struct hf_listing {
    struct hf_listed_sandbox *sandboxes;
    struct hf_listed_container *containers;
    size_t n_sandboxes, n_containers;
};

/* The list `key` of an answer, around which crictl may have said something; NULL or null: an empty one. *ret_items
 * belongs to *ret_root, which the caller frees, also after a failure. -EBADMSG: another form. */
HF_MUST_USE int hf_listing_parse(struct hf_view text, const char *key, json_t **ret_root, const json_t **ret_items,
                                 struct hf_err *err);
/* Replace that part of *listing; on failure it stays. -EBADMSG: another form; -E2BIG: more than HF_LISTING_MAX. */
HF_MUST_USE int hf_listing_take_sandboxes(struct hf_listing *listing, struct hf_view text, struct hf_err *err);
HF_MUST_USE int hf_listing_take_containers(struct hf_listing *listing, struct hf_view text, struct hf_err *err);
void hf_listing_done(struct hf_listing *listing);
