/* SPDX-License-Identifier: Apache-2.0 */
/* Logins to registries, from the kubelet's credential providers: plugins, assigned to images by a configuration
 * file. */
#pragma once

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "loop/proc.h"
#include "loop/sched.h"

struct hf_logins_params {
    const struct hf_sched_ops *sched;
    const struct hf_clock_ops *clock;
    const struct hf_fs_ops *fs;
    const struct hf_proc_ops *proc;
    struct hf_log *log; /* or NULL */
};

struct hf_logins;
struct hf_logins *hf_logins_new(const struct hf_logins_params *params);
void hf_logins_free(struct hf_logins *logins); /* end all logins first */
/* Sets the kubelet's --image-credential-provider-config and -bin-dir (copied; NULL: none). Forgets kept logins if a
 * path differs, otherwise only failures. Not while hf_login_start() or `done` runs. */
void hf_logins_configure(struct hf_logins *logins, const char *config, const char *folder);

/* Looks for the login of an image (named as in mirror/login/providers.h). 0: *ret_line is "Authorization: ...", valid
 * until the next call, or NULL if no plugin has one. 1: `done` gets that line or NULL later, and the login is freed. */
struct hf_login;
HF_MUST_USE int hf_login_start(struct hf_logins *logins, const char *image, void (*done)(void *arg, const char *line),
                               void *arg, const char **ret_line, struct hf_login **ret_login);
void hf_login_cancel(struct hf_login *login); /* accepts NULL; not after `done` */

/* Returns why a login for this image failed, or NULL. Valid until the next hf_login_start(). */
const char *hf_logins_problem(const struct hf_logins *logins, const char *image);
