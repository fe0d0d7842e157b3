/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a layer from layers of the node and a delta: fetches the delta into a scratch file, and has a worker make the
 * layer in another file, readable as it grows. The worker does not wait for the end of a long fetch. */
#pragma once

#include "mirror/deltas.h"

struct hf_mirror_rebuild_params {
    struct hf_mirror_upstream_params p;
    struct hf_mirror_upstream *upstream;
    char *const *stores;
    const char *folder;
    const struct hf_mirror_tally *tally; /* must outlive the rebuild */
    const char *origin, *name;           /* borrowed until start() returns, as are `stores`, `folder` and `delta` */
    const struct hf_mirror_delta *delta;
    void (*moved)(void *arg); /* called when more can be read, and last when the rebuild has ended */
    void *arg;
};

struct hf_mirror_rebuild;
/* -ENOSPC: too little space for scratch files. */
HF_MUST_USE int hf_mirror_rebuild_start(const struct hf_mirror_rebuild_params *params,
                                        struct hf_mirror_rebuild **ret_rebuild);
void hf_mirror_rebuild_free(struct hf_mirror_rebuild *rebuild);

/* 1: it runs. 0: the layer is complete, its digest not compared. -EBADMSG: the delta is damaged or does not fit this
 * node: never try it again. -EILSEQ: the same, after bytes were made of a delta with a wrong or unknown digest. Other
 * errors, such as an unreachable registry, may be temporary. */
int hf_mirror_rebuild_state(const struct hf_mirror_rebuild *rebuild);
bool hf_mirror_rebuild_arrives(const struct hf_mirror_rebuild *rebuild);
const struct hf_err *hf_mirror_rebuild_err(const struct hf_mirror_rebuild *rebuild);
/* Reads the layer at `at`. Returns fewer than `n` bytes if no more are made yet, or -errno. */
ssize_t hf_mirror_rebuild_read(const struct hf_mirror_rebuild *rebuild, void *bytes, size_t n, uint64_t at);
