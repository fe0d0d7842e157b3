/* SPDX-License-Identifier: Apache-2.0 */
/* agent/desired/sets.h - hands the entries of spec.manifests to the engine of pkg/manifests, and collects what the
 * engine reports for the status and for Events. Threads: loop thread only. */
#pragma once

#include "agent/desired/policy.h"
#include "agent/env.h"
#include "agent/follow/contact.h"
#include "api/syncpolicy.h"
#include "manifests/engine.h"
#include "sync/notices.h"

struct hf_network;

struct hf_sets {
    const struct hf_agent_env *env;
    struct hf_chosen_policy *policy;   /* borrowed */
    struct hf_network *network;        /* gate and HTTP functions for downloads; set before hf_sets_open() */
    struct hf_manifest_engine *engine; /* NULL before hf_sets_open() */
    /* Called for each change that is worth an Event. */
    void (*happened)(void *arg, enum hf_notice_reason reason, const char *text);
    /* Called after the status of an entry has changed. */
    void (*changed)(void *arg);
    void *arg;
};

void hf_sets_init(struct hf_sets *sets, const struct hf_agent_env *env, struct hf_chosen_policy *policy);

/* Makes the engine, and repairs the drift that arose since the last process ended. Call this function before the agent
 * uses the network. Blocks until the repair is complete. */
HF_MUST_USE int hf_sets_open(struct hf_sets *sets, const char *arch, struct hf_err *err);
/* Ends the engine. */
void hf_sets_done(struct hf_sets *sets);

struct hf_sets_input {
    enum hf_staleness staleness;
    bool held; /* the site's hold is in force */
    /* true if it is certain that the agent has all policies for this node (hf_follow_proves_absence()), so that the
     * engine may remove files and objects that no policy asks for */
    bool proven;
    bool no_space;       /* the file system of the state folder is critically full */
    bool writes_used_up; /* the policy's budget of writes is used up */
};
/* Passes the policy to the engine. Call this function in each turn that makes a plan. */
void hf_sets_run(struct hf_sets *sets, const struct hf_sets_input *input);
/* Looks for new content at the sources of the entries, and for drift. Call this function once per interval of the
 * policy. */
void hf_sets_check(struct hf_sets *sets);
/* Resumes the downloads of archives that wait for bulk transfers. Call this function when the policy allows bulk
 * transfers again. */
void hf_sets_link_opened(struct hf_sets *sets);
