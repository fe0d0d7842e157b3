/* SPDX-License-Identifier: Apache-2.0 */
/* support/fakes/simwalk.h - a walk (support/walk.h) over the calls of a story on a simulated file system, at each of which
 * something goes wrong. Where places are drawn, each kind of call that the story makes (create, write, sync, rename, ...) is
 * among them.
 *
 *     struct hf_simwalk walk = {.name = "cuts, delta"};
 *     while (hf_simwalk_next(&walk))
 *         cut_at(&walk);     ... hf_simfs_stop_at(fs, walk.at); the story; bool cut = hf_simwalk_saw(&walk, fs);
 *
 * The walk is over once the story has fewer calls than `at`. A walk that has gone to no place fails its test. */
#pragma once

#include "support/fakes/simfs_impl.h"
#include "support/walk.h"

struct hf_simwalk {
    const char *name;
    uint64_t at;                    /* the place, from 1 */
    struct sim_kind hit[SIM_KINDS]; /* the kinds of call at the places so far */
    uint64_t rest[SIM_KINDS];       /* places of the other kinds, to which the walk goes in the end */
    size_t n_hit, n_rest;
    uint64_t places; /* so far */
    bool over;
};

bool hf_simwalk_next(struct hf_simwalk *walk);

/* After the story, with `at` given to hf_simfs_stop_at() or hf_simfs_fail_at(), and before either is called again. False: the
 * story had fewer than `at` calls. */
bool hf_simwalk_saw(struct hf_simwalk *walk, const struct hf_simfs *fs);
