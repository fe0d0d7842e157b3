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
    struct hf_chosen_policy *policy;
    struct hf_network *network;
    const struct hf_contact *contact;
    struct hf_manifest_engine *engine;
    struct hf_alone *alone; /* runs static pods without a kubelet; NULL before hf_sets_open() */
    void (*happened)(void *arg, enum hf_notice_reason reason, const char *text);
    void (*changed)(void *arg);
    void *arg;
};

void hf_sets_init(struct hf_sets *sets, const struct hf_agent_env *env, struct hf_chosen_policy *policy);

/* Makes engine and `alone`, and repairs earlier drift before it uses the network. Blocks. */
HF_MUST_USE int hf_sets_open(struct hf_sets *sets, const char *arch, struct hf_err *err);
void hf_sets_done(struct hf_sets *sets);

struct hf_sets_input {
    enum hf_staleness staleness;
    bool held;
    bool proven; /* entries may be removed (hf_follow_proves_absence()) */
    bool no_space;
    bool writes_used_up;
};
void hf_sets_run(struct hf_sets *sets, const struct hf_sets_input *input);
void hf_sets_check(struct hf_sets *sets);
/* Resumes downloads of archives. */
void hf_sets_link_opened(struct hf_sets *sets);
void hf_sets_look_alone(struct hf_sets *sets);
/* Returns the images that pods of the entries name; zeroed if the policy does not ask. hf_image_mirror_take() frees the
 * names. */
struct hf_image_workloads hf_sets_find_images(const struct hf_sets *sets);
