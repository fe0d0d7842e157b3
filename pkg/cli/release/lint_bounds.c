#include "cli/release/lint_bounds.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/host.h"
#include "telemetry/permit.h"
#include "update/install/target.h"

void hf_cli_lint_update_bounds(const struct hf_config *config, const struct hf_edgeupdate *update,
                               const struct hf_cli_lint_report *report)
{
    const struct hf_release *release = &update->release;
    const struct hf_target target = {.roots = hf_config_update_roots(config), .path = release->install.path};
    struct hf_failure failure;
    struct hf_err err = HF_ERR_INIT;
    char path[96];

    if (hf_target_check(&target, &failure) < 0)
        report->refused(report->arg, "spec.release.install.path", failure.err.cause);
    if (release->install.restart_exec[0] != NULL &&
        !hf_config_allows_exec(config, release->install.restart_exec[0], &err))
        report->refused(report->arg, "spec.release.install.restart.exec", err.cause);
    if (release->install.restart_unit != NULL && !hf_config_allows_unit(config, release->install.restart_unit, &err))
        report->refused(report->arg, "spec.release.install.restart.systemdUnit", err.cause);
    for (size_t i = 0; i < release->n_checks; i++)
        if (release->checks[i].kind == HF_CHECK_EXEC &&
            !hf_config_allows_exec(config, release->checks[i].command[0], &err)) {
            (void)snprintf(path, sizeof(path), "spec.release.health.checks[%zu].exec", i);
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
    struct hf_telemetry copy = policy->telemetry; /* the policy frees the lists by its own counts */

    if (policy->n_signatures == 0 && hf_config_requires_signed_policy(config))
        report->refused(report->arg, "spec.signatures",
                        "the node acts only on signed policies (requireSigned): holdfast policy sign");
    if (copy.present)
        hf_telemetry_permit(&copy, hf_json_at(policy->json, "spec.telemetry.sink") != NULL, &permit);
}
