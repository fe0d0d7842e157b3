/* SPDX-License-Identifier: Apache-2.0 */
/* Which layers of images that were asked for can be made from layers of the node, by the deltas that stand beside an
 * image in its registry (docs/reference/image-deltas.md).
 *
 * Nothing in an artifact is trusted: a delta is kept only for a blob that the image's manifest names, of the size that
 * it says, and who applies it compares the blob with its digest. */
#pragma once

#include "codec/sha256.h"
#include "mirror/upstream.h"

enum { HF_MIRROR_DELTAS = 128 };

struct hf_mirror_delta {
    char *image; /* "<origin> <name>"; NULL: free */
    char to[HF_SHA256_HEX], sha256[HF_SHA256_HEX];
    uint64_t to_size, size; /* `size`, of the delta, is the smaller one */
    bool bad;               /* never again */
};
struct hf_mirror_deltas {
    struct hf_mirror_delta items[HF_MIRROR_DELTAS]; /* a full table lets go of the oldest */
    size_t next;
};

void hf_mirror_deltas_done(struct hf_mirror_deltas *deltas);
/* NULL: none, or a bad one. Valid until the next look ends. */
const struct hf_mirror_delta *hf_mirror_deltas_find(struct hf_mirror_deltas *deltas, const char *origin,
                                                    const char *name, const char *to);
/* It did not make the blob: it stays in its place. */
void hf_mirror_deltas_blame(struct hf_mirror_deltas *deltas, const char *origin, const char *name, const char *to);

struct hf_mirror_look_params {
    struct hf_mirror_upstream *upstream;
    struct hf_mirror_deltas *deltas;
    char *const *stores;                 /* as of mirror/store.h; borrowed */
    const struct hf_mirror_tally *tally; /* lives as long as the look */
    const char *origin, *name;           /* borrowed */
    const char *sha256;                  /* of the manifest; borrowed */
    struct hf_view manifest;             /* its text, compared with its digest */
    void (*done)(void *arg);             /* whatever was found */
    void *arg;
};

/* Asks the registry for deltas of an image, and puts into the table those whose base the node has. -ENOENT: there is
 * nothing to look for; -ENOMEM: then `done` does not come. */
struct hf_mirror_look;
HF_MUST_USE int hf_mirror_look_start(const struct hf_mirror_look_params *params, struct hf_mirror_look **ret_look);
void hf_mirror_look_cancel(struct hf_mirror_look *look); /* accepts NULL; not after `done` */
