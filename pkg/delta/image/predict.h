/* SPDX-License-Identifier: Apache-2.0 */
/* delta/image/predict.h - predict the new file's bytes from the old file, the match map and the references seen so far.
 * Encoder and decoder both run this code and get the same predictions.
 *
 * Memory: sizeof(struct delta_predictor), and the shared context. Threads: a predictor belongs to one thread at a
 * time. */
#pragma once

#include "delta/image/image.h"
#include "delta/image/refs_go.h"
#include "delta/image/refs_jump.h"
#include "delta/match/map.h"

enum {
    DELTA_WINDOW_MAX = 1024,
    DELTA_EXACT_BITS = 13,
    DELTA_COARSE_BITS = 11,
    DELTA_CANDIDATES = 4,
    DELTA_PREDICT_REFERENCES = 1, /* references in tables, tar headers, and code of x86-64 and AArch64 */
    DELTA_PREDICT_ARM = 2,        /* references in code of 32-bit ARM */
    DELTA_PREDICT_I386 = 4,       /* references in code of 32-bit x86 */
    DELTA_PREDICT_RISCV = 8,      /* references in code of RISC-V */
    DELTA_PREDICT_ALL = 15,
    /* In the encoded shared context, one number holds the predictors in its DELTA_PREDICT_BITS lowest bits, and `lean`
     * in the bits above. */
    DELTA_PREDICT_BITS = 4,
    DELTA_LEAN_MAX = 3,
    DELTA_PAIRS_MAX = 4096,
};

/* The data that encoder and decoder both have before the first byte of the new file. Free it with
 * delta_shared_context_done() (delta/shared_context.h). */
struct delta_shared_context {
    struct delta_old *old;
    struct delta_map map;
    struct delta_pair *pairs; /* pairs of images in the order of the new images; no two new images overlap */
    uint32_t pairs_n;
    const struct delta_image *new_images; /* encoder only: the new image of each pair */
    uint64_t old_size, new_size;
    unsigned predictors; /* the DELTA_PREDICT_* in use, combined by | */
    unsigned lean;       /* number of times that the models halve their tables */
    bool only_first;     /* true to predict only one candidate; delta_guess.source may then be unset */
    /* true to predict targets from the map alone, without learning moves and without using the tables of moves */
    bool by_map;
    /* cache: the old image that was read last, and the pair of that image; helps because each block would otherwise
     * read the image again */
    struct delta_pair last_pair;
    struct delta_image last_image;
};

/* Returns the predictor that code for this machine needs. */
unsigned delta_predictor_of(enum delta_machine machine);

/* The learned move of an old target: `by` is the new address minus the old address. `key` is the position of the target
 * + 1. For a move that stands for 256 positions, `key` is position / 256 + 1. A `key` of 0 means an empty entry. */
struct delta_moved {
    uint32_t key;
    int32_t by;
};

struct delta_guess {
    unsigned n; /* number of candidates */
    /* origin of the first candidate; 3 stands for the learned move of the target, 2 for the map entry that covers the
     * target, 1 for the learned move of a target nearby, and 0 for a guess */
    unsigned source;
    uint64_t word[DELTA_CANDIDATES];
    /* addresses in the new file of the site, the base and the target; `target` is the first prediction */
    uint64_t site, base, target;
};

/* A window: a part of a copy that is predicted in one step. */
struct delta_span {
    uint64_t new_pos, old_pos;
    size_t n;
    size_t refs;              /* number of references in the window */
    const unsigned char *old; /* old bytes of the window; some bytes before and after the window are readable too */
    unsigned region;          /* kind of the old bytes' region, as delta_region_slot() returns it */
};

struct delta_predictor {
    struct delta_shared_context *shared;
    struct delta_image image;       /* the old image of the active pair */
    struct delta_segments segments; /* segments of the new image of the active pair */
    struct delta_pair pair;
    uint32_t pair_next; /* index of the next pair */
    /* `exact` has the learned moves of targets; `coarse` has one learned move for every 256 positions */
    struct delta_moved exact[1 << DELTA_EXACT_BITS], coarse[1 << DELTA_COARSE_BITS];
    /* For each slot of kinds: the true target minus the target that the map gives, for the latest mispredicted
     * reference. For DELTA_REF_GO_BUCKET, the sum of all errors of the prediction so far. */
    int64_t last_by[DELTA_REF_SLOTS];
    struct delta_go_cursor go; /* state of the scanner for Go's tables */
    struct delta_jumps jumps;
    struct delta_announced announced;
    uint64_t tar_old_pos; /* tar_growth is valid for a window that starts at this old position */
    int64_t tar_growth;   /* sum of (new byte - old byte) over the bytes of the current tar header so far */

    /* the fields from here on describe the current window */
    struct delta_ref refs[(DELTA_WINDOW_MAX + 1) / 2 + 4];
    struct delta_guess guesses[(DELTA_WINDOW_MAX + 1) / 2 + 4];
    unsigned char old_bytes[DELTA_SCAN_BEFORE + DELTA_WINDOW_MAX + 16 + DELTA_SCAN_AFTER];
    unsigned char predicted[DELTA_WINDOW_MAX + 16];
};

/* Prepares for the next block. */
void delta_predictor_reset(struct delta_predictor *p);

/* Returns true if the new image of the next pair starts at new_pos or before. */
bool delta_predictor_enters(const struct delta_predictor *p, uint64_t new_pos);

/* Activates the next pairs, up to the last pair whose new image starts at new_pos or before. If the new image of a pair
 * contains new_pos, reads the old image of the pair and calls `code`, which must fill p->segments. `truth` has the
 * segments of the new image, for encoding; it is NULL when decoding. */
HF_MUST_USE int delta_predictor_enter(struct delta_predictor *p, uint64_t new_pos,
                                      int (*code)(void *ctx, struct delta_predictor *p,
                                                  const struct delta_segments *truth),
                                      void *ctx, struct hf_err *err);

/* Returns segment i of the old image of the active pair. Adds to its offset the new image's offset minus the old
 * image's offset. Returns a segment of zeros if the old image has no segment i. The result is the base for coding
 * segment i of the new image. */
struct delta_segment delta_predictor_segment(const struct delta_predictor *p, unsigned i);

/* Predicts the next window of a copy. The window starts at s->old_pos and s->new_pos; `copy_left` bytes of the copy
 * remain. Fills p->predicted and the other fields of *s. The window has at most `want` bytes, or a few more if the last
 * reference in the window ends beyond `want`. */
HF_MUST_USE int delta_predictor_window(struct delta_predictor *p, struct delta_span *s, size_t want, uint64_t copy_left,
                                       struct hf_err *err);

/* Passes the true bytes of the window to the predictor. */
void delta_predictor_made(struct delta_predictor *p, const struct delta_span *s, const unsigned char *made);

/* Learns from a reference whose first prediction was wrong. `word` is the true value. */
void delta_predictor_learn(struct delta_predictor *p, const struct delta_ref *ref, const struct delta_guess *g,
                           uint64_t word);
