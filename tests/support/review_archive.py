"""A tiny archive with the member names of the published one, and its hash."""

import hashlib
import io
import tarfile

INNER = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
SENTENCES = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"
RATINGS = "hutto_ICWSM_2014/movieReviewSnippets_anonDataRatings.txt"


def reviews(count):
    """Different sentences; the k-th has the ratings k % 9 - 4, one less extreme, and 1."""
    return [
        (f"sentence number {k}", [k % 9 - 4, k % 9 - 4 + (1 if k % 9 < 4 else -1), 1])
        for k in range(count)
    ]


def published(sentences):
    """The two files as they are published: tabs, line ends of Windows, none after the last line."""
    told, rated = [], []
    for number, (text, ratings) in enumerate(sentences, 1):
        mean = sum(ratings) / len(ratings)
        told.append(f"{number}\t{mean:.11f}\t{text}")
        rated.append(f"{number}\t{mean:.9f}\t0.5\t{ratings}")
    return {name: "\r\n".join(lines).encode() for name, lines in ((SENTENCES, told), (RATINGS, rated))}


def write_archive(file, files):
    """Writes the archive in an archive; gives its SHA-256."""
    file.write_bytes(pack({INNER: pack(files)}))
    return hashlib.sha256(file.read_bytes()).hexdigest()


def pack(files):
    """The bytes of a tar.gz; a member whose content is a `TarInfo` is put in as it is."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as tar:
        for name, content in files.items():
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
            else:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return target.getvalue()
