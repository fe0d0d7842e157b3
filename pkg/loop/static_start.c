/* SPDX-License-Identifier: Apache-2.0 */
/* Linked into static programs alone: they load no parts from the host, whose versions are not theirs. */
#include <nss.h>
#include <openssl/crypto.h>
#include <stddef.h>

void hf_static_start(void);

/* Before main. glibc would load what the host's /etc/nsswitch.conf names (mdns, resolve, systemd), and OpenSSL the
 * providers of the host's openssl.cnf, with a libc and a libcrypto beside those in this program. So names come from
 * /etc/hosts and the name servers of /etc/resolv.conf, users from /etc/passwd, and ciphers from here. */
__attribute__((constructor)) void hf_static_start(void)
{
    static const char *const databases[] = {"passwd", "group", "services", "protocols", "networks"};

    (void)__nss_configure_lookup("hosts", "files dns");
    for (size_t i = 0; i < sizeof(databases) / sizeof(databases[0]); i++)
        (void)__nss_configure_lookup(databases[i], "files");
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}
