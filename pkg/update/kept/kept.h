/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps content of committed versions beside the target, to save the network.
 *
 * Always a second name of the installed files, or a reflink where possible; by the policy a copy, and the version
 * before. A second name brings back a file that was removed or replaced, not one changed in place. Whoever takes
 * content verifies it. Nothing is kept where other users may rename files of the target's folder. Workers only;
 * blocks. */
#pragma once

#include <stdatomic.h>

#include "api/edgeupdate.h"
#include "steps/target.h"
#include "update/kept/choice.h"

struct hf_kept_params {
    struct hf_target target;
    enum hf_install_kind kind;
    const char *records; /* for manifests */
    const char *sha256;  /* committed version's; "": of none, for hf_kept_trim() */
    uint64_t size;
    const char *previous_sha256; /* version before */
    uint64_t previous_size;
    bool previous_unknown;     /* its hash cannot be read: nothing goes */
    const char *wanted_sha256; /* to be installed next, which may be there: stays */
    struct hf_kept_policy policy;
    enum hf_kept_room room;
    bool just_committed; /* struct hf_kept_facts */
    bool unwanted;       /* nobody repairs it: of the committed version only a copy stays that the policy chooses */
    const atomic_bool *cancel;
};

/* Keeps what is chosen of both versions, the committed one if in place; removes the rest. At any time, also after a
 * power cut. An error costs only what could not be kept. */
HF_MUST_USE int hf_kept_keep(const struct hf_kept_params *params, struct hf_failure *failure);
/* Only removes what is neither of the committed version nor chosen. Makes room, as for a newer one. */
HF_MUST_USE int hf_kept_trim(const struct hf_kept_params *params, struct hf_failure *failure);

struct hf_kept_want {
    enum hf_install_kind kind;
    const char *sha256;
    uint64_t size;
    const char *link;  /* Tree: text of the link, or "" */
    const char *other; /* File: an installed file with this hash, or "" */
    struct hf_target target;
    const atomic_bool *cancel;
};

/* Only looks at names and sizes. */
enum hf_kept_source hf_kept_find(const struct hf_kept_want *want, const struct hf_target_dir *dir);

/* Reads what an installation would take: 1: the content; 0: not. IN_PLACE against its manifest in `records`, else by
 * hash. -ENOENT with NOWHERE: none, or never with this hash, as another program made the installed tree's archive. */
HF_MUST_USE int hf_kept_check(const struct hf_kept_want *want, const struct hf_target_dir *dir, const char *records,
                              enum hf_kept_source *ret_source, struct hf_failure *failure);

/* Makes HF_TARGET_NEW from hf_kept_find(), not IN_PLACE; of a tree, its archive. Returns a descriptor; not verified.
 * -ENOENT: none. */
HF_MUST_USE int hf_kept_take(const struct hf_kept_want *want, const struct hf_target_dir *dir,
                             struct hf_failure *failure);

/* Is one of the kept names a name of this file? */
bool hf_kept_names(const struct hf_target_dir *dir, const struct stat *st);

/* Removes all that is kept of this content, which proved wrong. */
void hf_kept_drop(const struct hf_target_dir *dir, const char *sha256);
