/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps content of committed versions beside the target, to save the network.
 *
 * Keeps a reflink of the installed files, or where that fails a copy (by the policy) or a hard link; by the policy also
 * the version before. A hard link brings back a file that was removed or replaced, not one changed in place. An agent
 * run by root keeps nothing where other users may rename files of the target's folder. Workers only; blocks. */
#pragma once

#include <stdatomic.h>

#include "api/edgeupdate.h"
#include "steps/target.h"
#include "update/kept/choice.h"

struct hf_kept_params {
    struct hf_target target;
    enum hf_install_kind kind;
    const char *records;
    const char *sha256; /* of the committed version; "": none */
    uint64_t size;
    const char *previous_sha256;
    uint64_t previous_size;
    bool previous_unknown;     /* the previous hash cannot be read, so nothing is removed */
    const char *wanted_sha256; /* of the version to install next, which stays */
    struct hf_kept_policy policy;
    enum hf_kept_room room;
    bool just_committed; /* `sha256` was committed just now */
    /* nobody wants the release: hf_kept_trim() need not leave the committed version */
    bool unwanted;
    const atomic_bool *cancel;
};

/* Keeps what is chosen of both versions (of the committed one if it is in place), and removes most else but the wanted
 * one. An error costs only what could not be kept. */
HF_MUST_USE int hf_kept_keep(const struct hf_kept_params *params, struct hf_failure *failure);
/* Makes room, as for a newer version: removes most that is neither of the committed nor the wanted version, nor
 * chosen. */
HF_MUST_USE int hf_kept_trim(const struct hf_kept_params *params, struct hf_failure *failure);

struct hf_kept_want {
    enum hf_install_kind kind;
    const char *sha256;
    uint64_t size;
    const char *link;  /* kind Tree: text of the link, or "" */
    const char *other; /* kind File: another release's installed file with this hash, or "" */
    struct hf_target target;
    const atomic_bool *cancel;
};

/* Finds where the content is, by names and sizes alone. */
enum hf_kept_source hf_kept_find(const struct hf_kept_want *want, const struct hf_target_dir *dir);

/* Reads the content that an installation would take. 1: right; 0: not. Compares IN_PLACE with its manifest in
 * `records`, others by hash. -ENOENT with NOWHERE: nothing is kept, or nothing kept can have this hash, because another
 * program made the installed tree's archive. */
HF_MUST_USE int hf_kept_check(const struct hf_kept_want *want, const struct hf_target_dir *dir, const char *records,
                              enum hf_kept_source *ret_source, struct hf_failure *failure);

/* Makes HF_TARGET_NEW from the content that hf_kept_find() finds, except IN_PLACE; for a tree, its archive. Returns a
 * descriptor; the caller verifies the content. -ENOENT: none. */
HF_MUST_USE int hf_kept_take(const struct hf_kept_want *want, const struct hf_target_dir *dir,
                             struct hf_failure *failure);

/* Whether a kept entry is a hard link to this file. */
bool hf_kept_names(const struct hf_target_dir *dir, const struct stat *st);

/* Removes all kept forms of this content. */
void hf_kept_drop(const struct hf_target_dir *dir, const char *sha256);
