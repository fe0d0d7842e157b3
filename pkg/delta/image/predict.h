/* SPDX-License-Identifier: Apache-2.0 */
/* Predicts the new file from the old one, the match map and earlier references, alike in encoder and decoder. */
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
    DELTA_PREDICT_REFERENCES = 1, /* references in tables, tar headers, code of x86-64 and AArch64 */
    DELTA_PREDICT_ARM = 2,
    DELTA_PREDICT_I386 = 4,
    DELTA_PREDICT_RISCV = 8,
    DELTA_PREDICT_ALL = 15,
    DELTA_PREDICT_BITS = 4,
    DELTA_LEAN_MAX = 3,
    DELTA_PAIRS_MAX = 4096,
};

/* What encoder and decoder have before the first byte of the new file. */
struct delta_shared_context {
    struct delta_old *old;
    struct delta_map map;
    struct delta_pair *pairs; /* ordered by new image; new images do not overlap */
    uint32_t pairs_n;
    const struct delta_image *new_images; /* of each pair; encoder only */
    uint64_t old_size, new_size;
    unsigned predictors;
    unsigned lean;   /* how many times the models halve their tables */
    bool only_first; /* mostly predict one candidate; delta_guess.source may be unset */
    bool by_map;     /* ignore `exact` and `coarse` */
    struct delta_pair last_pair;
    struct delta_image last_image;
};

unsigned delta_predictor_of(enum delta_machine machine);

/* `by`: new minus old address of a target. `key`: from its old position; 0: empty. */
struct delta_moved {
    uint32_t key;
    int32_t by;
};

struct delta_guess {
    unsigned n;
    /* where word[0] comes from: 3 the target's own move, 2 the map or a computation, 1 a move nearby, 0 a guess */
    unsigned source;
    uint64_t word[DELTA_CANDIDATES];
    uint64_t site, base, target; /* mostly addresses in the new file, or 0; `target` is that of word[0] */
};

/* A window: a part of a copy that is predicted in one step. */
struct delta_span {
    uint64_t new_pos, old_pos;
    size_t n;
    size_t refs;
    const unsigned char *old; /* the bytes around these are readable, too */
    unsigned region;
};

struct delta_predictor {
    struct delta_shared_context *shared;
    struct delta_image image; /* the active pair's old image */
    struct delta_segments segments;
    struct delta_pair pair;
    uint32_t pair_next;
    struct delta_moved exact[1 << DELTA_EXACT_BITS], coarse[1 << DELTA_COARSE_BITS];
    int64_t last_by[DELTA_REF_SLOTS];
    struct delta_go_cursor go;
    struct delta_jumps jumps;
    struct delta_announced announced;
    uint64_t tar_old_pos;
    int64_t tar_growth;

    struct delta_ref refs[(DELTA_WINDOW_MAX + 1) / 2 + 4];
    struct delta_guess guesses[(DELTA_WINDOW_MAX + 1) / 2 + 4];
    unsigned char old_bytes[DELTA_SCAN_BEFORE + DELTA_WINDOW_MAX + 16 + DELTA_SCAN_AFTER];
    unsigned char predicted[DELTA_WINDOW_MAX + 16];
};

void delta_predictor_reset(struct delta_predictor *p);

bool delta_predictor_enters(const struct delta_predictor *p, uint64_t new_pos);

/* Activates further pairs up to new_pos. If one's new image contains it, gets the old image and calls `code`, which
 * must fill p->segments; when encoding `truth` has them, otherwise it is NULL. */
HF_MUST_USE int delta_predictor_enter(struct delta_predictor *p, uint64_t new_pos,
                                      int (*code)(void *ctx, struct delta_predictor *p,
                                                  const struct delta_segments *truth),
                                      void *ctx, struct hf_err *err);

/* Returns what the new image's segment i is coded against: the old image's segment i, moved as the image moved, or
 * zeros. */
struct delta_segment delta_predictor_segment(const struct delta_predictor *p, unsigned i);

/* Predicts the window at s->new_pos and s->old_pos, `copy_left` bytes before the copy's end. Fills p->predicted and *s.
 * Takes `want` bytes at most, more only to end a reference. */
HF_MUST_USE int delta_predictor_window(struct delta_predictor *p, struct delta_span *s, size_t want, uint64_t copy_left,
                                       struct hf_err *err);

void delta_predictor_made(struct delta_predictor *p, const struct delta_span *s, const unsigned char *made);

/* Learns the true `word` after a wrong first candidate. */
void delta_predictor_learn(struct delta_predictor *p, const struct delta_ref *ref, const struct delta_guess *g,
                           uint64_t word);
