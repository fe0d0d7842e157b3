/* SPDX-License-Identifier: Apache-2.0 */
/* Which layers of requested images can be made of the node's layers, by deltas beside an image in its registry
 * (docs/reference/image-deltas.md).
 *
 * Artifacts are not trusted: a delta counts only for a blob in the image's manifest, of its size there; who applies it
 * compares the digest. */
#pragma once

#include "codec/sha256.h"
#include "mirror/upstream.h"

enum { HF_MIRROR_DELTAS = 128 };

struct hf_mirror_delta {
    char *image; /* "<origin> <name>"; NULL: free */
    char to[HF_SHA256_HEX], sha256[HF_SHA256_HEX];
    uint64_t to_size, size; /* `size`: the delta's, smaller */
    bool bad;
};
struct hf_mirror_deltas {
    struct hf_mirror_delta items[HF_MIRROR_DELTAS]; /* a full table loses its oldest */
    size_t next;
};

void hf_mirror_deltas_done(struct hf_mirror_deltas *deltas);
/* NULL: none, or bad. Valid until the next look ends. */
const struct hf_mirror_delta *hf_mirror_deltas_find(struct hf_mirror_deltas *deltas, const char *origin,
                                                    const char *name, const char *to);
/* The delta did not make the blob, and is bad. */
void hf_mirror_deltas_blame(struct hf_mirror_deltas *deltas, const char *origin, const char *name, const char *to);

struct hf_mirror_look_params {
    struct hf_mirror_upstream *upstream;
    struct hf_mirror_deltas *deltas;
    char *const *stores;                 /* mirror/store.h's; borrowed */
    const struct hf_mirror_tally *tally; /* outlives the look */
    const char *origin, *name;           /* borrowed */
    const char *sha256;                  /* the manifest's; borrowed */
    struct hf_view manifest;             /* compared with its digest */
    void (*done)(void *arg);             /* found or not */
    void *arg;
};

/* Asks the registry for an image's deltas; the table gets those whose base the node has. -ENOENT: nothing to look for;
 * -ENOMEM: no `done`. */
struct hf_mirror_look;
HF_MUST_USE int hf_mirror_look_start(const struct hf_mirror_look_params *params, struct hf_mirror_look **ret_look);
void hf_mirror_look_cancel(struct hf_mirror_look *look); /* accepts NULL; not after `done` */
