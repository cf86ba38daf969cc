import collections
import fractions
import io
import os
import pickle

import numpy as np
import pytest

from harness.data.pickles.unpickle import read_pickle
from harness.spec import BadInput


def write(folder, content):
    file = folder / "a.pkl"
    file.write_bytes(content)
    return file


def equal(a, b):
    if isinstance(a, np.ndarray):
        # NumPy turns big-endian arrays of older protocols into native ones.
        return (
            a.dtype.newbyteorder("=") == b.dtype.newbyteorder("=")
            and a.shape == b.shape
            and (a == b).all()
        )
    return type(a) is type(b) and a == b


PLAIN = {
    "floats": np.arange(6, dtype=np.float32).reshape(2, 3),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big_endian": np.arange(3, dtype=">i4"),
    "empty": np.zeros((0, 3)),
    "strings": np.array(["a", "éà"]),
    "objects": np.array(["a", 1, 2.5, "word"], dtype=object),
    "scalar": np.float64(1.5),
    "integer": np.int64(-3),
    "containers": [(1, 2.5), {"a"}, None, True, b"bytes", "text", 1 + 2j],
}


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_and_plain_containers_survive_every_protocol(tmp_path, protocol):
    found = read_pickle(write(tmp_path, pickle.dumps(PLAIN, protocol)))
    assert list(found) == list(PLAIN)
    assert all(equal(found[key], PLAIN[key]) for key in PLAIN)


@pytest.mark.parametrize("protocol", range(6))
def test_files_of_older_numpy_name_other_modules(tmp_path, protocol):
    new = pickle.dumps(PLAIN, protocol)
    assert b"numpy._core" in new
    if protocol >= 4:
        # The short string opcode is followed by its length.
        old = new.replace(b"\x16numpy._core.multiarray", b"\x15numpy.core.multiarray")
        old = old.replace(b"\x13numpy._core.numeric", b"\x12numpy.core.numeric")
        old = b"\x80" + bytes([protocol]) + _without_frames(old[2:])
    else:
        old = new.replace(b"numpy._core", b"numpy.core")
    assert b"numpy._core" not in old
    found = read_pickle(write(tmp_path, old))
    assert all(equal(found[key], PLAIN[key]) for key in PLAIN)


def _without_frames(content):
    parts = content.split(b"\x95")
    return parts[0] + b"".join(part[8:] for part in parts[1:])


def test_python_2_arrays_come_as_latin_1_text(tmp_path):
    # What Python 2 wrote for np.array([1.5, -2.0], '<f4') under protocol 2.
    raw = np.array([1.5, -2.0], "<f4").tobytes()
    content = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x02\x85cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xff"
        b"J\xff\xff\xff\xffK\x00tb\x89U\x08" + raw + b"tb."
    )
    assert read_pickle(write(tmp_path, content)).tolist() == [1.5, -2.0]


class Payload:
    def __init__(self, call, *arguments):
        self.told = (call, arguments)

    def __reduce__(self):
        return self.told


def refusal(folder, content):
    file = write(folder, content)
    with pytest.raises(BadInput) as caught:
        read_pickle(file)
    said = str(caught.value)
    assert said.startswith(f"{file}: ")
    assert "\n" not in said
    return said


@pytest.mark.parametrize("protocol", range(6))
def test_a_command_is_named_and_does_not_run(tmp_path, protocol):
    ran = tmp_path / "ran"
    content = pickle.dumps({"train": Payload(os.system, f"touch {ran}")}, protocol)
    said = refusal(tmp_path, content)
    assert "path: holds posix.system; only NumPy arrays and plain containers are admitted" in said
    assert not ran.exists()
    # The payload is real: the ordinary unpickler does run it.
    pickle.loads(content)
    assert ran.exists()


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (fractions.Fraction(1, 3), "fractions.Fraction"),
        (collections.OrderedDict(a=1), "collections.OrderedDict"),
        (Payload(eval, "1"), "builtins.eval"),
        (Payload(getattr, np.zeros(1), "tofile"), "builtins.getattr"),
        (np.load, "numpy.load"),
        (np.ma.zeros(2), "numpy.ma"),
        (np.random.default_rng(0), "numpy.random"),
        (np.datetime64, "numpy.datetime64"),
    ],
)
def test_any_other_name_is_refused(tmp_path, value, name):
    assert f"holds {name}" in refusal(tmp_path, pickle.dumps(value))


def test_text_is_turned_into_bytes_by_latin_1_only(tmp_path):
    content = b"\x80\x02c_codecs\nencode\nX\x02\x00\x00\x00abX\x05\x00\x00\x00rot13\x86R."
    assert "to be encoded as rot13" in refusal(tmp_path, content)


def test_a_subclass_of_array_is_refused(tmp_path):
    content = b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nc__builtin__\nset\nK\x00\x85U\x01b\x87R."
    assert "holds a subclass of numpy.ndarray" in refusal(tmp_path, content)


def test_a_pickle_cannot_alter_what_numpy_knows_of_a_type(tmp_path):
    content = (
        b"\x80\x02cnumpy\ndtype\nU\x02f4K\x00K\x00\x87R(K\x03U\x01>NNNJ\xff\xff\xff\xff"
        b"J\xff\xff\xff\xffK\x00tb."
    )
    read_pickle(write(tmp_path, content))
    assert np.dtype("f4").isnative


def test_object_arrays_hold_strings_and_numbers_only(tmp_path):
    ragged = np.array([np.zeros(2), np.zeros(3)], dtype=object)
    said = refusal(tmp_path, pickle.dumps({"train": {"audio": ragged}}))
    assert "train.audio: an object array holds ndarray; expected strings or numbers" in said


def test_every_truncation_is_bad_input(tmp_path):
    content = pickle.dumps(PLAIN, 4)
    for cut in range(0, len(content), 7):
        assert "path: not a whole pickle" in refusal(tmp_path, content[:cut])


@pytest.mark.parametrize("content", [b"hello", b"\x80\x07.", b"\x80\x02K\x01K\x02R.", b"\x80\x02P1\n."])
def test_bytes_that_are_no_pickle_are_bad_input(tmp_path, content):
    assert "path: not a whole pickle" in refusal(tmp_path, content)


def test_a_list_that_contains_itself_is_bad_input(tmp_path):
    loop = []
    loop.append(loop)
    assert "contains itself" in refusal(tmp_path, pickle.dumps(loop))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"a\.pkl: path: no such file"):
        read_pickle(tmp_path / "a.pkl")


def test_a_stream_of_any_size_is_read_from_the_file(tmp_path):
    buffer = io.BytesIO()
    pickle.dump({"a": np.zeros(100_000)}, buffer, 5)
    assert read_pickle(write(tmp_path, buffer.getvalue()))["a"].shape == (100_000,)
