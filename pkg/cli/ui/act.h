/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the command for the body of POST /fleet/act. Pure.
 *
 * {"act": "Halt", "name": "edge-app", "confirmed": true}
 *
 * `holdfast ui` runs that command. Without "confirmed" it only asks the API server whether the user may. */
#pragma once

#include "cli/args.h"
#include "codec/json.h"

enum { HF_UI_ACT_MAX_BYTES = 2048, HF_UI_ACT_WORDS = HF_CLI_MAX_OPTIONS + 8 };

struct hf_ui_act {
    bool confirmed;
    const char *name;   /* name of the row; may be invalid */
    const char *plural; /* plural of the object's kind */
    const char *words[2], *reason, *release;
    json_t *json; /* owns name, reason and release */
};

/* -EBADMSG, for people: no act, unknown, empty or too long fields, or control characters. */
HF_MUST_USE int hf_ui_act_parse(struct hf_view body, struct hf_ui_act *ret_act, struct hf_err *err);
void hf_ui_act_done(struct hf_ui_act *act);

/* Returns the command's words, with args' options for the cluster, and --context unless `context` is "". */
char **hf_ui_act_argv(const struct hf_ui_act *act, const char *program, const struct hf_cli_args *args,
                      const char *context, const char *object);
void hf_ui_argv_free(char **argv);

/* Returns ["--kubeconfig=FILE", ...] for a reader: without --context, with the token hidden. */
json_t *hf_ui_act_options(const struct hf_cli_args *args);

/* Makes a SelfSubjectAccessReview: may the user change `object`? */
json_t *hf_ui_act_review(const struct hf_ui_act *act, const char *object);
