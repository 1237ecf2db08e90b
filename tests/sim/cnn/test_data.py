"""Images: CIFAR's binary files, and patches of photographs."""

from __future__ import annotations

import os

import numpy as np
import pytest

from sim.cnn.data import CIFAR_FOLDER, PIXELS, cifar, images, photo_patches


def write_cifar10(folder, rng, per_file=4):
    """Random images in CIFAR-10's layout; returns all training pixels and labels."""
    pixels, labels = [], []
    for name in (*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"):
        label = rng.integers(0, 10, per_file, dtype=np.uint8)
        pixel = rng.integers(0, 256, (per_file, PIXELS), dtype=np.uint8)
        np.concatenate([label[:, None], pixel], axis=1).tofile(folder / name)
        pixels.append(pixel)
        labels.append(label)
    return np.concatenate(pixels[:-1]).reshape(-1, 3, 32, 32), np.concatenate(labels[:-1])


def test_cifar10_is_read_as_it_was_written(tmp_path):
    pixels, labels = write_cifar10(tmp_path, np.random.default_rng(0))
    (tmp_path / "batches.meta.txt").write_text("\n".join("abcdefghij") + "\n\n")
    read = cifar(tmp_path)
    assert read.name == "cifar10"
    assert read.classes == tuple("abcdefghij")
    np.testing.assert_array_equal(read.train, pixels)
    np.testing.assert_array_equal(read.train_labels, labels)
    assert read.test.shape == (4, 3, 32, 32)


def test_cifar100_has_the_fine_labels(tmp_path):
    rng = np.random.default_rng(1)
    for name in ("train.bin", "test.bin"):
        rows = rng.integers(0, 20, (5, 2 + PIXELS), dtype=np.uint8)
        rows[:, 1] = [0, 99, 5, 6, 7]
        rows.tofile(tmp_path / name)
    read = cifar(tmp_path)
    assert read.name == "cifar100"
    assert read.train_labels.tolist() == [0, 99, 5, 6, 7]
    with pytest.raises(ValueError, match="folder must hold the files of cifar10, got those of cifar100"):
        images("cifar10", tmp_path)


def test_the_environment_names_the_folder(tmp_path, monkeypatch):
    write_cifar10(tmp_path, np.random.default_rng(2))
    monkeypatch.setenv(CIFAR_FOLDER, os.fspath(tmp_path))
    assert len(images("cifar10").train) == 20
    monkeypatch.delenv(CIFAR_FOLDER)
    with pytest.raises(ValueError, match="folder with CIFAR's binary files must be given"):
        images("cifar10")


def test_files_that_are_cut_off_or_mislabelled_are_refused(tmp_path):
    write_cifar10(tmp_path, np.random.default_rng(3))
    whole = (tmp_path / "data_batch_3.bin").read_bytes()
    for broken, message in (
        (whole[:-1], r"data_batch_3.bin must hold whole records of 3073 bytes, got 12291 bytes"),
        (b"", r"data_batch_3.bin must hold whole records of 3073 bytes, got 0 bytes"),
        (bytes([10]) + whole[1:], r"data_batch_3.bin must hold labels below 10, got 10 in record 0"),
    ):
        (tmp_path / "data_batch_3.bin").write_bytes(broken)
        with pytest.raises(ValueError, match=message):
            cifar(tmp_path)
    (tmp_path / "data_batch_3.bin").unlink()
    with pytest.raises(ValueError, match=r"folder must hold data_batch_1\.bin to data_batch_5.bin"):
        cifar(tmp_path)


def test_a_pickle_is_data_at_most(tmp_path):
    # the Python version of CIFAR has pickles under these names without .bin: they are never looked at
    (tmp_path / "data_batch_1").write_bytes(b"cos\nsystem\n(S'touch pwned'\ntR.")
    with pytest.raises(ValueError, match="binary version"):
        cifar(tmp_path)


def test_photo_patches_share_no_pixel_between_train_and_test():
    patches = photo_patches()
    assert patches.train.dtype == np.uint8
    assert set(patches.train_labels) == set(patches.test_labels) == set(range(7))
    seen = {patch.tobytes() for patch in patches.train}
    assert not any(patch.tobytes() in seen for patch in patches.test)
    # rows of pixels neither, unless they are plain (the sky): blocks are disjoint
    rows = {row.tobytes() for patch in patches.train[:, :, 7] for row in [patch] if patch.std() > 20}
    assert not any(patch[:, row].tobytes() in rows for patch in patches.test[::5] for row in range(32))
    assert photo_patches().train.tobytes() == patches.train.tobytes()


def test_photo_patches_say_what_they_need(monkeypatch):
    monkeypatch.setattr("sim.cnn.data.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"photo patches need scikit-image and scikit-learn: pip install"):
        photo_patches()


def test_a_file_that_cannot_be_read_is_one_message(tmp_path, monkeypatch):
    write_cifar10(tmp_path, np.random.default_rng(4))

    def denied(path, mode):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.open", denied)
    with pytest.raises(ValueError, match=r"cannot read data_batch_1\.bin: permission denied"):
        cifar(tmp_path)


def test_a_file_larger_than_any_of_cifar_is_not_read(tmp_path):
    write_cifar10(tmp_path, np.random.default_rng(4))
    os.truncate(tmp_path / "data_batch_2.bin", 2**18 * 3073)
    with pytest.raises(ValueError, match=r"data_batch_2\.bin must hold at most 131,072 records, got 805,568,512 bytes"):
        cifar(tmp_path)


@pytest.mark.parametrize("lay", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/zero", path)])
def test_names_that_cannot_be_read_are_numbers(tmp_path, lay):
    write_cifar10(tmp_path, np.random.default_rng(4))
    (tmp_path / "batches.meta.txt").unlink(missing_ok=True)
    lay(tmp_path / "batches.meta.txt")
    assert cifar(tmp_path).classes == tuple("0123456789")


def test_subsets_are_the_first_images():
    patches = photo_patches()
    few = patches.subset(10, 3)
    np.testing.assert_array_equal(few.train, patches.train[:10])
    assert (len(few.test), len(few.test_labels)) == (3, 3)
    with pytest.raises(ValueError, match=r"test must be at most \d+, the images that photo-patches has, got 100000"):
        patches.subset(None, 100_000)
    with pytest.raises(ValueError, match="train must be"):
        patches.subset(0, 1)


def test_an_unknown_set_is_refused():
    with pytest.raises(ValueError, match="data must be one of cifar10, cifar100, photo-patches, got 'mnist'"):
        images("mnist")


@pytest.mark.skipif(not os.environ.get(CIFAR_FOLDER), reason=f"no folder with CIFAR-10 is named by {CIFAR_FOLDER}")
def test_real_cifar10_has_ten_classes_and_correlated_pixels():
    read = images("cifar10")
    assert len(read.classes) == 10
    assert set(np.unique(read.train_labels)) == set(range(10))
    grey = read.train[:2000].mean(axis=1)
    left, right = grey[:, :, :-1].ravel(), grey[:, :, 1:].ravel()
    assert 0.8 < np.corrcoef(left, right)[0, 1] < 0.99
