/* delta/image/predict.h - what new should be, given old, the match map and what was learned on the way: the same on both sides.
 *
 * Memory: sizeof(struct delta_predictor) and what the shared context holds. */
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
    DELTA_PREDICT_REFERENCES = 1, /* tables, tar headers, code of x86-64 and AArch64 */
    DELTA_PREDICT_ARM = 2,        /* code of 32-bit ARM */
    DELTA_PREDICT_I386 = 4,       /* of 32-bit x86 */
    DELTA_PREDICT_RISCV = 8,      /* of RISC-V */
    DELTA_PREDICT_ALL = 15,
    DELTA_PREDICT_BITS = 4, /* above them in their number: how lean the model is, up to */
    DELTA_LEAN_MAX = 3,
    DELTA_PAIRS_MAX = 4096,
};

/* What both sides know before the first byte of new. */
struct delta_shared_context {
    struct delta_old *old;
    struct delta_map map;
    struct delta_pair *pairs; /* ascending in new, not overlapping there */
    uint32_t pairs_n;
    const struct delta_image *new_images; /* the encoder's, by pair */
    uint64_t old_size, new_size;
    unsigned predictors; /* DELTA_PREDICT_* */
    unsigned lean;       /* the models have tables of half the size; 2: a quarter; 3: an eighth */
    bool only_first;     /* nobody asks for another candidate than the first, nor for its source */
    bool by_map;         /* targets move by the map alone: what moved is not learned, those tables are not touched */
    struct delta_pair last_pair; /* whose old image was read last: each block asks for it again */
    struct delta_image last_image;
};

/* The predictor that code for this machine takes. */
unsigned delta_predictor_of(enum delta_machine machine);

void delta_shared_context_done(struct delta_shared_context *shared);

/* What an old target was seen to move by. */
struct delta_moved {
    uint32_t key;
    int32_t by;
};

struct delta_guess {
    unsigned n;      /* candidates */
    unsigned source; /* of the first: 3 seen before, 2 the map covers it, 1 seen near, 0 a guess */
    uint64_t word[DELTA_CANDIDATES];
    uint64_t site, base, target; /* addresses in new; target as first predicted */
};

/* A window of a copy. */
struct delta_span {
    uint64_t new_pos, old_pos;
    size_t n;
    size_t refs;
    const unsigned char *old; /* bytes of old, readable around */
    unsigned region;
};

struct delta_predictor {
    struct delta_shared_context *shared;
    struct delta_image image;       /* of the pair in force, in old */
    struct delta_segments segments; /* in new */
    struct delta_pair pair;
    uint32_t pair_next; /* index of the one that follows */
    struct delta_moved exact[1 << DELTA_EXACT_BITS], coarse[1 << DELTA_COARSE_BITS];
    int64_t last_by[DELTA_REF_SLOTS];
    struct delta_go_cursor go; /* of the image in force */
    struct delta_jumps jumps;
    struct delta_awaited awaited;
    uint64_t tar_old_pos; /* up to here, without a gap, tar_grown was taken */
    int64_t tar_grown;    /* sum of new - old over the bytes of this tar header so far */

    /* of the window */
    struct delta_ref refs[(DELTA_WINDOW_MAX + 1) / 2 + 4];
    struct delta_guess guesses[(DELTA_WINDOW_MAX + 1) / 2 + 4];
    unsigned char old_bytes[DELTA_SCAN_BEFORE + DELTA_WINDOW_MAX + 16 + DELTA_SCAN_AFTER];
    unsigned char predicted[DELTA_WINDOW_MAX + 16];
};

/* At a block's start. */
void delta_predictor_reset(struct delta_predictor *p);

/* Is new_pos at the start of the next pair of images, or (at a block's start) inside one? */
bool delta_predictor_enters(const struct delta_predictor *p, uint64_t new_pos);

/* If so, it is in force from here on, and `code` codes new's segments into p->segments, from `truth` when encoding (else
 * NULL). */
HF_MUST_USE int delta_predictor_enter(struct delta_predictor *p, uint64_t new_pos,
                                      int (*code)(void *ctx, struct delta_predictor *p,
                                                  const struct delta_segments *truth),
                                      void *ctx, struct hf_err *err);

/* What segment i of new is compared to: the old one, moved. */
struct delta_segment delta_predictor_segment(const struct delta_predictor *p, unsigned i);

/* Predict up to `want` bytes at s->new_pos, copied from s->old_pos, `copy_left` of the copy being left: fills the rest of *s
 * and p->predicted. May be a little more than wanted: up to the end of the last reference. */
HF_MUST_USE int delta_predictor_window(struct delta_predictor *p, struct delta_span *s, size_t want, uint64_t copy_left,
                                       struct hf_err *err);

/* The window's bytes are known. */
void delta_predictor_made(struct delta_predictor *p, const struct delta_span *s, const unsigned char *made);

/* A reference turned out not to be as predicted first, but `word`. */
void delta_predictor_learn(struct delta_predictor *p, const struct delta_ref *ref, const struct delta_guess *g,
                           uint64_t word);
