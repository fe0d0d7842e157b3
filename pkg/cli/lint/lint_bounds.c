/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/lint/lint_bounds.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/net/host.h"
#include "steps/target.h"
#include "telemetry/permit.h"

void hf_cli_lint_update_bounds(const struct hf_config *config, const struct hf_edgeupdate *update,
                               const struct hf_cli_lint_report *report)
{
    const struct hf_release *release = &update->release;
    const struct hf_target target = {.roots = hf_config_update_roots(config), .path = release->install.path};
    struct hf_failure failure;
    struct hf_err err = HF_ERR_INIT;
    char path[96], field[64];
    const char *program;

    if (release->install.kind != HF_INSTALL_AGENT && hf_target_check(&target, &failure) < 0)
        report->refused(report->arg, "spec.release.install.path", failure.err.cause);
    if (release->install.restart_unit != NULL && !hf_config_allows_unit(config, release->install.restart_unit, &err))
        report->refused(report->arg, "spec.release.install.restart.systemdUnit", err.cause);
    for (size_t i = 0; (program = hf_release_program(release, i, field, sizeof(field))) != NULL; i++)
        if (!hf_config_allows_exec(config, program, &err)) {
            (void)snprintf(path, sizeof(path), "spec.release.%s", field);
            report->refused(report->arg, path, err.cause);
        }
}

/* Only the node has its addresses. An address in numbers may be one of them, a name never is. */
static bool may_be_own(const char *url)
{
    struct hf_view host = hf_host_of_url(url);
    unsigned char address[sizeof(struct in6_addr)];
    char text[INET6_ADDRSTRLEN];
    bool six = host.n > 2 && host.p[0] == '[';

    if (six)
        host = (struct hf_view){host.p + 1, host.n - 2};
    if (host.n == 0 || host.n >= sizeof(text))
        return false;
    (void)snprintf(text, sizeof(text), "%.*s", (int)host.n, host.p);
    return inet_pton(six ? AF_INET6 : AF_INET, text, address) == 1;
}

/* A folder may be meant by a path without '/' at its end. */
static bool allows_target(const struct hf_config *config, enum hf_config_scope scope, const struct hf_manifest *entry,
                          struct hf_err *err)
{
    bool (*allows)(const struct hf_config *, enum hf_config_scope, const char *, struct hf_err *) =
        entry->from.kind == HF_MANIFEST_FROM_SECRET ? hf_config_allows_manifest_secret_file
                                                    : hf_config_allows_manifest_file;
    char folder[1100];

    (void)snprintf(folder, sizeof(folder), "%s/", entry->path);
    return (entry->path[strlen(entry->path) - 1] != '/' && allows(config, scope, folder, NULL)) ||
           allows(config, scope, entry->path, err);
}

static void lint_commands(const struct hf_config *config, enum hf_config_scope scope, const struct hf_manifest *entry,
                          const char *at, const struct hf_cli_lint_report *report)
{
    const char *unit = entry->restart_unit != NULL ? entry->restart_unit : entry->reload_unit;
    struct hf_err err = HF_ERR_INIT;
    char path[160];

    if (unit != NULL && !hf_config_allows_manifest_unit(config, scope, unit, &err)) {
        (void)snprintf(path, sizeof(path), "%s.%s", at, entry->restart_unit != NULL ? "restart" : "reload");
        report->refused(report->arg, path, err.cause);
    }
    if (entry->validate_command[0] != NULL &&
        !hf_config_allows_manifest_exec(config, scope, entry->validate_command[0], &err)) {
        (void)snprintf(path, sizeof(path), "%s.validate", at);
        report->refused(report->arg, path, err.cause);
    }
    for (size_t i = 0; i < entry->n_checks; i++)
        if (entry->checks[i].kind == HF_CHECK_EXEC &&
            !hf_config_allows_manifest_exec(config, scope, entry->checks[i].command[0], &err)) {
            (void)snprintf(path, sizeof(path), "%s.healthChecks[%zu].exec", at, i);
            report->refused(report->arg, path, err.cause);
        }
}

static void lint_manifest(const struct hf_config *config, const struct hf_syncpolicy *policy, size_t i,
                          const struct hf_cli_lint_report *report)
{
    const struct hf_manifest *entry = &policy->manifests[i];
    bool is_signed = (policy->n_signatures > 0 || entry->n_signatures > 0) && hf_manifest_is_pinned(entry);
    enum hf_config_scope scope = is_signed ? HF_CONFIG_SIGNED : HF_CONFIG_UNSIGNED;
    struct hf_err err = HF_ERR_INIT;
    char at[64], path[160];
    bool allowed = true;

    (void)snprintf(at, sizeof(at), "spec.manifests[%zu]", i);
    if (!is_signed && hf_config_requires_signed_manifests(config))
        report->refused(report->arg, at, "the node acts only on signed entries with pinned content (requireSigned)");
    if (entry->to == HF_MANIFEST_TO_STATIC_PODS)
        allowed = hf_config_allows_manifest_static_pods(config, scope, &err);
    else if (entry->to == HF_MANIFEST_TO_CLUSTER)
        allowed = hf_config_allows_manifest_cluster(config, scope, &err);
    else
        allowed = allows_target(config, scope, entry, &err);
    (void)snprintf(path, sizeof(path), "%s.%s", at, entry->to == HF_MANIFEST_TO_FILES ? "path" : "to");
    if (!allowed)
        report->refused(report->arg, path, err.cause);
    (void)snprintf(path, sizeof(path), "%s.from", at);
    if (entry->from.kind == HF_MANIFEST_FROM_URL &&
        !hf_config_allows_manifest_origin(config, scope, entry->from.url, &err))
        report->refused(report->arg, path, err.cause);
    if (entry->from.kind == HF_MANIFEST_FROM_PATH &&
        !hf_config_allows_manifest_read(config, scope, entry->from.path, entry->from.sub_path, &err))
        report->refused(report->arg, path, err.cause);
    lint_commands(config, scope, entry, at, report);
}

static void refused(void *arg, const char *field, const struct hf_err *err)
{
    const struct hf_cli_lint_report *report = arg;
    char path[160];

    (void)snprintf(path, sizeof(path), "spec.telemetry.%s", field);
    report->refused(report->arg, path, err->cause);
}

void hf_cli_lint_policy_bounds(const struct hf_config *config, const struct hf_syncpolicy *policy,
                               const struct hf_cli_lint_report *report)
{
    union {
        const struct hf_cli_lint_report *borrowed;
        void *arg;
    } to = {.borrowed = report};
    const struct hf_permit permit = {
        .config = config,
        .scope = policy->n_signatures > 0 ? HF_CONFIG_SIGNED : HF_CONFIG_UNSIGNED,
        .is_own_url = may_be_own,
        .refused = refused,
        .arg = to.arg,
    };
    struct hf_err err = HF_ERR_INIT;
    struct hf_telemetry copy = policy->telemetry; /* the policy frees the lists by its own counts */

    if (policy->n_signatures == 0 && hf_config_requires_signed_policy(config))
        report->refused(report->arg, "spec.signatures",
                        "the node acts only on signed policies (requireSigned): holdfast policy sign");
    if (policy->clock_resync && !hf_config_allows_clock_resync(config, &err))
        report->refused(report->arg, "spec.clock.resync", err.cause);
    for (size_t i = 0; i < policy->n_manifests; i++)
        lint_manifest(config, policy, i, report);
    if (copy.present)
        hf_telemetry_permit(&copy, hf_json_at(policy->json, "spec.telemetry.sink") != NULL, &permit);
}
