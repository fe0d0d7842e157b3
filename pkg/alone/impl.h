/* SPDX-License-Identifier: Apache-2.0 */
/* Struct hf_alone, for the .c files of pkg/alone. */
#pragma once

#include "alone/alone.h"
#include "alone/places.h"

enum { ALONE_MAX_PODS = 64, ALONE_MESSAGE = 256 };

#define ALONE_UNIT "holdfast-alone-runtime.service"

struct alone_wish {
    struct hf_alone_wish wish;
    char entry[64];
};

/* Why a pod of an entry does not run. */
struct alone_note {
    char entry[64], message[ALONE_MESSAGE];
};

struct hf_alone {
    struct hf_alone_params p;
    char *folder; /* <state>/alone */
    const struct hf_alone_place *place;
    char socket[256];             /* of containerd */
    char no_place[ALONE_MESSAGE]; /* why `place` is NULL */

    struct hf_alone_wish *wishes[ALONE_MAX_PODS]; /* each within a struct alone_wish */
    size_t n_wishes;
    struct alone_note refused[ALONE_MAX_PODS];
    size_t n_refused;
    unsigned char key[HF_SHA256_BYTES]; /* of the files that the wishes are from */
    size_t n_running;                   /* wishes, when the owner was last told */
    bool is_set;
    bool missed; /* a set came while a step ran */

    bool marked; /* <state>/alone exists */
    bool own_runtime, other_runtime;
    bool own_loaded;              /* our unit is not forgotten yet: a shim of a pod is in its control group */
    uint64_t started_ns, seen_ns; /* seen_ns 0: no kubelet yet */
    uint64_t handover_ns;         /* since when both containerds want to run; 0: they do not */
    enum hf_alone_presence presence;
    struct hf_listing listing;
    uint64_t listed_ns;          /* 0: not known */
    char failure[ALONE_MESSAGE]; /* of the last step that failed */
    unsigned listing_failures;

    struct hf_timer *timer;
    bool asked_six; /* the probe is the second one, by IPv6 */
    bool busy;      /* one of these is under way: */
    struct hf_probe_call *probing;
    struct hf_unit_call *asking;
    struct hf_proc_call *running;
    struct hf_alone_step step; /* of `running` */
    void (*acted)(struct hf_alone *alone, bool ok, struct hf_view output);
};

/* run.c: starts the step; its end calls alone->acted(). */
void alone_act(struct hf_alone *alone, const struct hf_alone_step *step);
/* wishes.c: false: a file is not the one that was placed; the wishes stay as they were. */
bool alone_wishes_read(struct hf_alone *alone, const struct hf_alone_file *files, size_t n);
void alone_wishes_done(struct hf_alone *alone);
