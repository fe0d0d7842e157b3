/* SPDX-License-Identifier: Apache-2.0 */
/* Knows which layers of requested images can be made from layers on the node, by deltas beside an image in its registry
 * (docs/reference/image-deltas.md).
 *
 * Artifacts are not trusted: a delta counts only for a blob in the image's manifest, of the size stated there; whoever
 * applies the delta compares the blob's digest. */
#pragma once

#include "codec/sha256.h"
#include "mirror/upstream.h"

enum { HF_MIRROR_DELTAS = 128 };

struct hf_mirror_delta {
    char *image; /* "<origin> <name>"; NULL: unused item */
    char to[HF_SHA256_HEX], sha256[HF_SHA256_HEX];
    uint64_t to_size, size; /* `size` is the delta's, and smaller */
    bool bad;
};
struct hf_mirror_deltas {
    struct hf_mirror_delta items[HF_MIRROR_DELTAS]; /* when full, the oldest item is replaced */
    size_t next;
};

void hf_mirror_deltas_done(struct hf_mirror_deltas *deltas);
/* Returns the delta that makes blob `to`, or NULL if there is none or a bad one. Valid until the next look ends. */
const struct hf_mirror_delta *hf_mirror_deltas_find(struct hf_mirror_deltas *deltas, const char *origin,
                                                    const char *name, const char *to);
/* Marks the delta for blob `to` as bad: it did not make the blob. */
void hf_mirror_deltas_blame(struct hf_mirror_deltas *deltas, const char *origin, const char *name, const char *to);

/* Everything except `manifest` must outlive the look. */
struct hf_mirror_look_params {
    struct hf_mirror_upstream *upstream;
    struct hf_mirror_deltas *deltas;
    char *const *stores;
    const struct hf_mirror_tally *tally;
    const char *origin, *name;
    const char *sha256;
    struct hf_view manifest; /* its digest was compared */
    void (*done)(void *arg); /* called whether or not deltas were found */
    void *arg;
};

/* Asks the registry for an image's deltas, and enters into params->deltas useful ones whose base the node has. -ENOENT:
 * nothing to look for. After errors `done` is not called. */
struct hf_mirror_look;
HF_MUST_USE int hf_mirror_look_start(const struct hf_mirror_look_params *params, struct hf_mirror_look **ret_look);
void hf_mirror_look_cancel(struct hf_mirror_look *look); /* accepts NULL; not after `done` */
