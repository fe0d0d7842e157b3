/* SPDX-License-Identifier: Apache-2.0 */
/* Makes one layer from layers of the node and a delta: fetches the delta to a scratch file, and applies it on a worker,
 * while it arrives if that takes long, to another, which can be read as it grows. */
#pragma once

#include "mirror/deltas.h"

struct hf_mirror_rebuild_params {
    struct hf_mirror_upstream_params p;
    struct hf_mirror_upstream *upstream;
    char *const *stores;                 /* as of mirror/store.h */
    const char *folder;                  /* for scratch files */
    const struct hf_mirror_tally *tally; /* lives as long as the rebuild */
    const char *origin, *name;           /* borrowed until start() returns, as `stores` and `folder` are */
    const struct hf_mirror_delta *delta; /* so is this */
    void (*moved)(void *arg);            /* more can be read, or it has ended; comes no more after that */
    void *arg;
};

struct hf_mirror_rebuild;
/* -ENOSPC: not enough room for the scratch files. Others: those of files and memory. */
HF_MUST_USE int hf_mirror_rebuild_start(const struct hf_mirror_rebuild_params *params,
                                        struct hf_mirror_rebuild **ret_rebuild);
void hf_mirror_rebuild_free(struct hf_mirror_rebuild *rebuild); /* stops it; accepts NULL */

/* 1: goes on. 0: has all bytes, whose digest nobody has compared. -EBADMSG: not to be tried again: the delta is
 * damaged, or unfit for this node. -EILSEQ: the same, and bytes were made from it. Others: circumstances, such as a
 * registry that is away. */
int hf_mirror_rebuild_state(const struct hf_mirror_rebuild *rebuild);
bool hf_mirror_rebuild_arrives(const struct hf_mirror_rebuild *rebuild);             /* the delta still does */
const struct hf_err *hf_mirror_rebuild_err(const struct hf_mirror_rebuild *rebuild); /* of a failure */
/* Bytes of the layer at `at`: fewer than `n` if it has not more yet. -errno. */
ssize_t hf_mirror_rebuild_read(const struct hf_mirror_rebuild *rebuild, void *bytes, size_t n, uint64_t at);
