/* SPDX-License-Identifier: Apache-2.0 */
/* Logins to registries by the kubelet's credential providers: its file names the plugin that has the login for an
 * image. */
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
    struct hf_log *log; /* may be NULL */
};

struct hf_logins;
struct hf_logins *hf_logins_new(const struct hf_logins_params *params); /* NULL: out of memory */
void hf_logins_free(struct hf_logins *logins);                          /* end logins before */
/* The kubelet's --image-credential-provider-config and -bin-dir; copied; NULL: none. Other paths: forgets kept logins;
 * the same: only failures. Not while hf_login_start() or `done` runs. */
void hf_logins_configure(struct hf_logins *logins, const char *config, const char *folder);

/* `image` as of mirror/login/providers.h. 0: *ret_line is "Authorization: ...", until this function is called again, or
 * NULL: no plugin has one. 1: `done` gets such a line, after the return, and frees the login. */
struct hf_login;
HF_MUST_USE int hf_login_start(struct hf_logins *logins, const char *image, void (*done)(void *arg, const char *line),
                               void *arg, const char **ret_line, struct hf_login **ret_login);
void hf_login_cancel(struct hf_login *login); /* accepts NULL; not after `done` */

/* Why a login for this image failed; NULL: none did. Valid until hf_login_start() is called again. */
const char *hf_logins_problem(const struct hf_logins *logins, const char *image);
