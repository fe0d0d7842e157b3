/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a layer of the node's layers and a delta: fetches the delta to a scratch file; a worker (during a long fetch)
 * makes the layer in another, readable as it grows. */
#pragma once

#include "mirror/deltas.h"

struct hf_mirror_rebuild_params {
    struct hf_mirror_upstream_params p;
    struct hf_mirror_upstream *upstream;
    char *const *stores;                 /* mirror/store.h's */
    const char *folder;                  /* of scratch files */
    const struct hf_mirror_tally *tally; /* outlives the rebuild */
    const char *origin, *name;           /* borrowed until start() returns, as `stores`, `folder` and `delta` */
    const struct hf_mirror_delta *delta;
    void (*moved)(void *arg); /* more to read, or ended; not after that */
    void *arg;
};

struct hf_mirror_rebuild;
/* -ENOSPC: for scratch files. Others: files, memory. */
HF_MUST_USE int hf_mirror_rebuild_start(const struct hf_mirror_rebuild_params *params,
                                        struct hf_mirror_rebuild **ret_rebuild);
void hf_mirror_rebuild_free(struct hf_mirror_rebuild *rebuild);

/* 1: runs. 0: the layer is whole, its digest not compared. -EBADMSG: never again: a damaged delta, or unfit for this
 * node. -EILSEQ: the same, after bytes were made. Others: circumstances, such as an absent registry. */
int hf_mirror_rebuild_state(const struct hf_mirror_rebuild *rebuild);
bool hf_mirror_rebuild_arrives(const struct hf_mirror_rebuild *rebuild);             /* the delta still does */
const struct hf_err *hf_mirror_rebuild_err(const struct hf_mirror_rebuild *rebuild); /* of a failure */
/* Reads the layer at `at`: fewer than `n` if it has no more yet. -errno. */
ssize_t hf_mirror_rebuild_read(const struct hf_mirror_rebuild *rebuild, void *bytes, size_t n, uint64_t at);
