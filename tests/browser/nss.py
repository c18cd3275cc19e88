"""Lets Chromium trust a CA: python nss.py HOME CA_FILE. A program of its own, since NSS keeps its state for the whole process.

The same as `certutil -d sql:HOME/.pki/nssdb -A -t C,, -n fake -i CA_FILE`, with the libraries that Chromium itself brings.
"""

import ctypes
import sys
from pathlib import Path

TRUSTED_CA = 0x18
"""CERTDB_VALID_CA and CERTDB_TRUSTED_CA of NSS."""


def trust(home: Path, pem: bytes) -> None:
    nss, smime = ctypes.CDLL("libnss3.so"), ctypes.CDLL("libsmime3.so")
    for function in (nss.PK11_GetInternalKeySlot, nss.CERT_GetDefaultCertDB, smime.CERT_DecodeCertFromPackage):
        function.restype = ctypes.c_void_p
    database = home / ".pki/nssdb"
    database.mkdir(parents=True)
    done(nss.NSS_InitReadWrite(f"sql:{database}".encode()))
    slot = ctypes.c_void_p(nss.PK11_GetInternalKeySlot())
    done(nss.PK11_InitPin(slot, None, b""))
    certificate = ctypes.c_void_p(smime.CERT_DecodeCertFromPackage(pem, len(pem)))
    done(nss.PK11_ImportCert(slot, certificate, ctypes.c_ulong(0), b"fake", 0))
    web_servers_only = (ctypes.c_uint * 3)(TRUSTED_CA, 0, 0)
    done(nss.CERT_ChangeCertTrust(ctypes.c_void_p(nss.CERT_GetDefaultCertDB()), certificate, web_servers_only))


def done(status: int) -> None:
    if status:
        sys.exit("NSS refused.")


if __name__ == "__main__":
    trust(Path(sys.argv[1]), Path(sys.argv[2]).read_bytes())
