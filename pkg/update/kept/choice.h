/* SPDX-License-Identifier: Apache-2.0 */
/* What to keep of committed versions, and where content on the disk comes from. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* spec.retain. Zeroed: only what costs nothing. */
struct hf_kept_policy {
    bool current;       /* a copy of the committed version */
    bool previous;      /* the one before it */
    uint64_t max_bytes; /* both, per release name */
    bool unread;        /* not known yet: both versions stay, older ones go */
};

enum hf_kept_room { HF_KEPT_ROOM, HF_KEPT_WARN, HF_KEPT_CRITICAL }; /* by spec.disk */

struct hf_kept_facts {
    struct hf_kept_policy policy;
    enum hf_kept_room room;
    uint64_t size, previous_size;
    bool has_copy;       /* of the committed one */
    bool just_committed; /* the version before became so only now */
};

struct hf_kept_choice {
    bool copy, previous;
};

/* Why the version before is not kept. */
enum hf_kept_bar { HF_KEPT_BAR_NOTHING, HF_KEPT_BAR_POLICY, HF_KEPT_BAR_SIZE, HF_KEPT_BAR_DISK };

enum hf_kept_bar hf_kept_previous_bar(const struct hf_kept_facts *facts);

/* The version before costs no write, so it comes before the copy. Above the warning level
 * nothing more is kept; at the critical one all goes that takes space. */
struct hf_kept_choice hf_kept_choose(const struct hf_kept_facts *facts);

enum hf_kept_source {
    HF_KEPT_NOWHERE,
    HF_KEPT_IN_PLACE, /* Tree: only the link to its folder is missing */
    HF_KEPT_COPY,
    HF_KEPT_CLONE,
    HF_KEPT_LINK,
    HF_KEPT_OTHER, /* another release's installed file */
    HF_KEPT_SOURCES,
};

/* Returns the lowest that is there: copy and clone cannot have been changed through the installed name, a link can. */
enum hf_kept_source hf_kept_source_choose(const bool there[HF_KEPT_SOURCES]);

/* May need the content's space. */
bool hf_kept_source_needs_space(enum hf_kept_source source, bool tree);
