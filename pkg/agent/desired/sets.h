/* SPDX-License-Identifier: Apache-2.0 */
/* Passes spec.manifests to the engine of pkg/manifests, and its notices back. */
#pragma once

#include "agent/desired/policy.h"
#include "agent/env.h"
#include "agent/follow/contact.h"
#include "api/syncpolicy.h"
#include "manifests/engine.h"
#include "sync/notices.h"

struct hf_alone;
struct hf_image_workloads;
struct hf_network;

struct hf_sets {
    const struct hf_agent_env *env;
    struct hf_chosen_policy *policy; /* borrowed */
    struct hf_network *network;      /* downloads */
    const struct hf_contact *contact;
    struct hf_manifest_engine *engine; /* NULL before hf_sets_open() */
    struct hf_alone *alone;            /* static pods without a kubelet; NULL before hf_sets_open() */
    /* Something deserves an Event. */
    void (*happened)(void *arg, enum hf_notice_reason reason, const char *text);
    void (*changed)(void *arg);
    void *arg;
};

void hf_sets_init(struct hf_sets *sets, const struct hf_agent_env *env, struct hf_chosen_policy *policy);

/* Repairs earlier drift before the network is used. Blocks. */
HF_MUST_USE int hf_sets_open(struct hf_sets *sets, const char *arch, struct hf_err *err);
void hf_sets_done(struct hf_sets *sets);

struct hf_sets_input {
    enum hf_staleness staleness;
    bool held;     /* by the site */
    bool proven;   /* hf_follow_proves_absence(): entries may be removed */
    bool no_space; /* critically full state folder */
    bool writes_used_up;
};
void hf_sets_run(struct hf_sets *sets, const struct hf_sets_input *input);
/* Looks for new contents and drift, once per interval. */
void hf_sets_check(struct hf_sets *sets);
/* Resumes downloads of archives. */
void hf_sets_link_opened(struct hf_sets *sets);
/* Passes static pods on to `alone`, in each turn with work. */
void hf_sets_look_alone(struct hf_sets *sets);
/* The images that pods of the entries name; zeroed if the policy does not ask. hf_image_mirror_take() frees the
 * names. */
struct hf_image_workloads hf_sets_find_images(const struct hf_sets *sets);
