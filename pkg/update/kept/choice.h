/* SPDX-License-Identifier: Apache-2.0 */
/* Decides what to keep of committed versions, and from where kept content is taken. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* spec.retain. Zeroed: keep only what costs no space. */
struct hf_kept_policy {
    bool current;       /* a copy of the committed version */
    bool previous;      /* the version before it */
    uint64_t max_bytes; /* of both together, for one release name */
    bool unread;        /* no policy read yet: both versions stay, older ones go */
};

enum hf_kept_room { HF_KEPT_ROOM, HF_KEPT_WARN, HF_KEPT_CRITICAL }; /* disk level by spec.disk */

struct hf_kept_facts {
    struct hf_kept_policy policy;
    enum hf_kept_room room;
    uint64_t size, previous_size;
    bool has_copy;       /* of the committed version */
    bool just_committed; /* the version before was the committed one until now */
};

struct hf_kept_choice {
    bool copy, previous;
};

/* Why the version before is not kept. */
enum hf_kept_bar { HF_KEPT_BAR_NOTHING, HF_KEPT_BAR_POLICY, HF_KEPT_BAR_SIZE, HF_KEPT_BAR_DISK };

enum hf_kept_bar hf_kept_previous_bar(const struct hf_kept_facts *facts);

/* The version before comes first, since keeping it writes nothing. Above the warning level nothing more is kept; at the
 * critical level nothing that takes space. */
struct hf_kept_choice hf_kept_choose(const struct hf_kept_facts *facts);

enum hf_kept_source {
    HF_KEPT_NOWHERE,
    HF_KEPT_IN_PLACE, /* kind Tree: only the link to its folder is missing */
    HF_KEPT_COPY,
    HF_KEPT_CLONE,
    HF_KEPT_LINK,
    HF_KEPT_OTHER,
    HF_KEPT_SOURCES,
};

/* Returns the first source that is there: a copy or clone, unlike a link, cannot have been changed through the
 * installed name. */
enum hf_kept_source hf_kept_source_choose(const bool there[HF_KEPT_SOURCES]);

/* Whether taking the content may need its space once more. */
bool hf_kept_source_needs_space(enum hf_kept_source source, bool tree);
