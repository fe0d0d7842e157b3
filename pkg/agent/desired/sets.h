/* SPDX-License-Identifier: Apache-2.0 */
/* agent/desired/sets.h - hands the entries of spec.manifests to the engine of pkg/manifests, and collects what it
 * reports for the status and for Events. */
#pragma once

#include "agent/desired/policy.h"
#include "agent/env.h"
#include "agent/follow/contact.h"
#include "api/syncpolicy.h"
#include "manifests/engine.h"
#include "sync/notices.h"

struct hf_alone;
struct hf_network;

struct hf_sets {
    const struct hf_agent_env *env;
    struct hf_chosen_policy *policy;   /* borrowed */
    struct hf_network *network;        /* for downloads; set before hf_sets_open() */
    struct hf_manifest_engine *engine; /* NULL before hf_sets_open() */
    struct hf_alone *alone;            /* runs static pods while no kubelet comes; NULL before hf_sets_open() */
    /* A change that is worth an Event. */
    void (*happened)(void *arg, enum hf_notice_reason reason, const char *text);
    void (*changed)(void *arg);
    void *arg;
};

void hf_sets_init(struct hf_sets *sets, const struct hf_agent_env *env, struct hf_chosen_policy *policy);

/* Repairs drift since the last process. Before the agent uses the network. Blocks. */
HF_MUST_USE int hf_sets_open(struct hf_sets *sets, const char *arch, struct hf_err *err);
void hf_sets_done(struct hf_sets *sets);

struct hf_sets_input {
    enum hf_staleness staleness;
    bool held;     /* by the site's hold */
    bool proven;   /* all policies are known (hf_follow_proves_absence()): the engine may remove the others */
    bool no_space; /* the state folder's file system is critically full */
    bool writes_used_up;
};
/* In each turn that makes a plan. */
void hf_sets_run(struct hf_sets *sets, const struct hf_sets_input *input);
/* Once per interval: new content at the sources, and drift. */
void hf_sets_check(struct hf_sets *sets);
/* Resumes archives when bulk transfers are allowed again. */
void hf_sets_link_opened(struct hf_sets *sets);
/* Tells `alone` the pods that should run without a kubelet. In each turn with work. */
void hf_sets_look_alone(struct hf_sets *sets);
