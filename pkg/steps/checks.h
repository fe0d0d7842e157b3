/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a release's health checks until steps/health.h reaches a verdict: all at once, each with its own period and
 * timeout. */
#pragma once

#include "base/clock.h"
#include "loop/http/http.h"
#include "loop/probe.h"
#include "loop/proc.h"
#include "loop/sched.h"
#include "loop/unit.h"
#include "steps/health.h"

struct hf_checks_params {
    const struct hf_clock_ops *clock;
    const struct hf_sched_ops *sched;
    const struct hf_http_ops *http;
    const struct hf_proc_ops *proc;
    const struct hf_probe_ops *probe;
    const struct hf_unit_ops *unit;
    const struct hf_check *checks; /* borrowed until `done` */
    size_t n;
    uint64_t deadline_ns;
    void (*done)(void *arg, const struct hf_health *health);
    void *arg;
};

struct hf_checks;

HF_MUST_USE int hf_checks_start(const struct hf_checks_params *params, struct hf_checks **ret_checks,
                                struct hf_err *err);
void hf_checks_free(struct hf_checks *checks); /* without `done` */
